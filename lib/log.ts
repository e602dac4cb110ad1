import { debuglog } from 'node:util';
import { HybridFlowError } from './errors.ts';
import { type EventLogin, subscribe } from './events.ts';
import { attemptIdOf } from './http/attempt.ts';

/** One line of a log: plain values, of which none is a token, a secret or somebody's name. */
export interface LogLine {
  /** `warn`: a login or a refresh did not succeed. `error`: what needs a look. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  /** The same for all steps of one login, from the login route over both hops of the callback. */
  readonly attemptId?: string | undefined;
  /** The same from the login to the logout. `signed in` has both. */
  readonly loginId?: string | undefined;
  /** The option `sessionKey` of the flow. */
  readonly flow?: string | undefined;
  /** Code of the error; the name of its class, where it is the application's own. */
  readonly code?: string | undefined;
  /** What the error says, if it is one of this library. */
  readonly detail?: string | undefined;
  /** Of a refresh. */
  readonly durationSeconds?: number | undefined;
  /** By whom a login has ended. */
  readonly by?: 'user' | 'application' | 'op' | undefined;
  /** The attempt that this one follows, which had to begin again. */
  readonly after?: string | undefined;
}

const steps = {
  begun: 'login begun',
  received: 'answer received',
  matched: 'answer belongs to a login',
} as const;

/**
 * Has every event of all flows written as a line: `logTo(({ level, message, ...fields }) => pino[level](fields, message))`.
 * Nothing is written otherwise, unless the environment has `NODE_DEBUG=passport-oidc-hybrid`.
 *
 * @returns a function that ends it
 */
export function logTo(write: (line: LogLine) => void): () => void {
  const subscriptions = [
    subscribe('step', ({ step, attemptId, after }) =>
      write({ level: 'debug', message: steps[step], attemptId, after }),
    ),
    subscribe('login', ({ login, req }) =>
      write({ level: 'info', message: 'signed in', attemptId: attemptIdOf(req), ...named(login) }),
    ),
    subscribe('refusal', ({ error, req }) =>
      write({
        level: 'warn',
        message: 'login refused',
        attemptId: attemptIdOf(req),
        ...described(error),
      }),
    ),
    subscribe('refresh', ({ login, outcome, error, durationSeconds }) =>
      write({
        level: outcome === 'renewed' ? 'debug' : 'warn',
        message: refreshes[outcome],
        ...named(login),
        ...(error === undefined ? {} : described(error)),
        durationSeconds,
      }),
    ),
    subscribe('reuse', ({ login }) =>
      write({ level: 'error', message: 'refresh token spent twice', ...named(login) }),
    ),
    subscribe('logout', ({ login, by }) =>
      write({ level: 'info', message: 'signed out', ...named(login), by }),
    ),
    subscribe('error', ({ error, req }) =>
      write({
        level: error.status >= 500 ? 'error' : 'warn',
        message: 'request failed',
        attemptId: attemptIdOf(req),
        ...described(error),
      }),
    ),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}

const refreshes = {
  renewed: 'token refreshed',
  unavailable: 'refresh failed, the login goes on',
  ended: 'refresh refused, the login ends',
} as const;

/** Not whose it is: `sub` is a person. */
function named({ loginId, flow }: EventLogin): Pick<LogLine, 'loginId' | 'flow'> {
  return { loginId, flow };
}

function described(error: unknown): Pick<LogLine, 'code' | 'detail'> {
  if (error instanceof HybridFlowError) return { code: error.code, detail: error.message };
  // What the application throws may say anything.
  return { code: error instanceof Error ? error.name : typeof error };
}

let isDebugged = false;

/** Writes lines on stderr where `NODE_DEBUG` says so. */
export function obeyNodeDebug(): void {
  const debug = debuglog('passport-oidc-hybrid');
  if (isDebugged || !debug.enabled) return;
  isDebugged = true;
  logTo(({ message, ...fields }) => debug('%s %s', message, JSON.stringify(fields)));
}
