import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import { SessionLostError, ValidationError } from '../errors.ts';
import { publish } from '../events.ts';
import { shortDigest, type Transaction } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import { readQuery } from './callback-parameters.ts';
import { callbackCookies } from './flow-cookies.ts';
import type { FlowParts } from './flow-parts.ts';
import { sendRedirect } from './pages.ts';
import { defaultReturnPath } from './return-to.ts';
import { hasStrictSession, type SessionRequest } from './session-request.ts';

/** Name of the query parameter that carries a sealed {@link Check}. */
const checkParameter = 'oidc_session_check';

/** Seconds that the browser may take from one check to the next. */
const checkSeconds = 60;

/**
 * Checks in a row: where processes do not share their sessions, one of two finds the session of the
 * other half of the time.
 */
const checksInRow = 3;

/**
 * Logins in a row that are checked and found in order. It is for sessions that the callback sees and a
 * page does not, as an older cookie of the page's own path hides theirs.
 */
const maxInRow = 5;

/** In a row is a login that begins so soon after the checks of the one before: nobody signs out and in that fast. */
const secondsInRow = 5;

/**
 * Sign-ins whose session does not come back. A guard would send such a visitor to the OP again, whose
 * session there answers at once, for ever. So the browser remembers a sign-in, in a cookie that goes to
 * the callback only. A login that was begun after it, and without its session, ends with a few
 * redirects in which the new session has to come back.
 */
export interface SessionChecks {
  /**
   * Decides whether this login is to be followed by checks.
   *
   * @throws {@link SessionLostError} for the last of a row of logins
   */
  prepare(req: Request, res: Response, transaction: Transaction): void;
  /**
   * Whether this request has signed in, and checks are to follow. No longer, once the application has
   * ended that login by itself.
   */
  isDue(req: Request): boolean;
  /** Remembers in the browser that this request has signed it in. */
  remember(req: Request, res: Response): void;
  /** Counts the time from here: the checks have taken some of it, and more in a slow network. */
  countFromNow(req: Request, res: Response): void;
  /**
   * Forgets it where a login begins at a page that another site has led to: a Strict session cookie has
   * stayed away from that request, which says nothing of the session.
   */
  excuse(req: Request, res: Response): void;
  /** Forgets it, at a logout. */
  forget(res: Response): void;
  /** Name of the session cookie; express-session tells nobody, so it is known after a login only. */
  cookieName(): string | undefined;
}

/** What the URL of a check holds. */
type Check = [expiresAt: number, left: number, sessionDigest: string, url: string];

export function createSessionChecks(options: ResolvedOptions): SessionChecks {
  const { prefix, attributes } = callbackCookies(options);
  const name = `${prefix}last`;
  /** Logins without the session of the one before, and how many there were in a row. */
  const rows = new WeakMap<Request, number>();
  /** Ids of the sessions that requests have signed in with. */
  const signedIn = new WeakMap<Request, string>();
  let sessionCookie: string | undefined;

  const forget = (res: Response): void => {
    res.append('Set-Cookie', serialize(name, '', { ...attributes, maxAge: 0 }));
  };

  const read = (req: Request): string[] => parse(req.headers.cookie ?? '')[name]?.split('.') ?? [];
  const write = (res: Response, count: string | number, session: string): void => {
    const value = [options.now().toString(36), count, session].join('.');
    const maxAge = options.transactionTtlSeconds;
    res.append('Set-Cookie', serialize(name, value, { ...attributes, maxAge }));
  };

  return {
    prepare(req, res, { sessionId = '', startedAt }) {
      const [time = '', count, session] = read(req);
      const signedInAt = Number.parseInt(time, 36);
      // No later: a tab that was open already. With its session: a second login on top of it.
      if (!(startedAt > signedInAt) || session === digest(sessionId)) return;
      const isInRow = startedAt - signedInAt <= secondsInRow * 1000;
      const row = isInRow ? Number(count) + 1 : 2;
      rows.set(req, row);
      if (row <= maxInRow) return;
      forget(res);
      throw new SessionLostError(
        'it came back to the callback, and not to the page: an older cookie of the same name hides it there, of the path of that page, or the page is served by processes that do not know the session',
        sessionCookie,
      );
    },
    isDue(req) {
      const { session, sessionID } = req as SessionRequest;
      const isLeft = session?.[options.sessionKey] !== undefined && signedIn.get(req) === sessionID;
      return isLeft && rows.has(req);
    },
    remember(req, res) {
      const { sessionID } = req as SessionRequest;
      signedIn.set(req, sessionID);
      write(res, rows.get(req) ?? 1, digest(sessionID));
      res.once('finish', () => {
        const set = [res.getHeader('Set-Cookie') ?? []].flat().map(String);
        const own = set.find((cookie) => cookie.includes(sessionID));
        sessionCookie = own?.split('=')[0] ?? sessionCookie;
      });
    },
    countFromNow(req, res) {
      const [, count, session] = read(req);
      if (count !== undefined && session !== undefined) write(res, count, session);
    },
    excuse(req, res) {
      if (hasStrictSession(req) && req.headers['sec-fetch-site'] === 'cross-site') forget(res);
    },
    forget,
    cookieName: () => sessionCookie,
  };
}

function digest(sessionId: string): string {
  return shortDigest(sessionId, 16);
}

/** Path of the first check that a new session comes back, after which the browser goes to the URL. */
export function pathOfCheck(parts: FlowParts, req: Request, url: string): string {
  return checkPath(parts, checksInRow, digest((req as SessionRequest).sessionID), url);
}

function checkPath(
  { options, sealer }: FlowParts,
  left: number,
  session: string,
  url: string,
): string {
  const expiresAt = Math.floor(options.now() / 1000) + checkSeconds;
  const check: Check = [expiresAt, left, session, url];
  const sealed = sealer.seal(JSON.stringify(check), purposeOf(options));
  return `${options.basePath}${options.callbackPath}?${checkParameter}=${sealed}`;
}

function purposeOf({ issuer, clientId }: ResolvedOptions): string {
  return JSON.stringify(['session check', issuer, clientId]);
}

/**
 * Answers a visit of the callback that is such a check.
 *
 * @returns whether it is one
 * @throws {@link SessionLostError} where the session has not come back
 */
export async function answerCheck(parts: FlowParts, req: Request, res: Response): Promise<boolean> {
  const sealed = readQuery(req).find(([name]) => name === checkParameter)?.[1];
  if (sealed === undefined) return false;
  const { options, sealer } = parts;
  const text = sealer.open(String(sealed), purposeOf(options));
  const [expiresAt, left, session, url] = JSON.parse(text ?? '[0,0,"",""]') as Check;
  const isValid = expiresAt >= options.now() / 1000;
  if ((await parts.loginSessions.current(req)) !== undefined) {
    const next = left > 1 ? checkPath(parts, left - 1, session, url) : url;
    if (isValid && left === 1) parts.sessionChecks.countFromNow(req, res);
    sendRedirect(res, isValid ? next : defaultReturnPath(options));
    return true;
  }
  const error = isValid ? lostSession(parts, req, session) : oldCheck();
  res.locals['oidcReturnTo'] = url || undefined;
  publish('refusal', { error, req });
  throw error;
}

function oldCheck(): ValidationError {
  return new ValidationError(
    'ERR_OIDC_RESPONSE_SEAL',
    'RFC 9700 4.11',
    `the sealed check of the session is not of this flow, was changed, or is older than ${checkSeconds} seconds`,
  );
}

function lostSession(
  { options, sessionChecks }: FlowParts,
  req: Request,
  session: string,
): SessionLostError {
  const sent = sentCookies(req);
  const came = sent.find(({ id }) => id !== undefined && digest(id) === session);
  const name = came?.name ?? sessionChecks.cookieName();
  const isHidden = came !== sent.find((cookie) => cookie.name === name);
  if (came !== undefined && !isHidden) {
    const isThere = digest((req as SessionRequest).sessionID) === session;
    const reason = isThere
      ? 'it came back, and its session is there without the login: its entry in the store is missing'
      : "it came back, and the store has no such session: processes that share no store (MemoryStore is one process's own), or that have different secrets of express-session, or a store that loses what it gets";
    return new SessionLostError(reason, name);
  }
  const reason = sent.some((cookie) => cookie.name === name)
    ? 'the browser sent an older cookie of that name, which hides or outlived the new one: of another path or domain, or one that an answer later than that of the login has set'
    : `the browser did not send it back: ${options.origin} may not set such a cookie (its domain or path, Secure on http, a name that begins with __Host- or __Secure-), or something in between takes it away`;
  return new SessionLostError(reason, name);
}

/** The cookies of a request, those of the same name too, with the session id in those of express-session. */
function sentCookies(req: Request): { name: string; id: string | undefined }[] {
  return (req.headers.cookie ?? '').split(';').flatMap((pair) =>
    Object.entries(parse(pair)).map(([name, value]) => ({
      name,
      id: /^s:(.+)\.[^.]+$/.exec(value ?? '')?.[1],
    })),
  );
}
