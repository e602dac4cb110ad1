import type { Request, Response } from 'express';
import { AuthenticationError, AuthorizationResponseError, LoginRefusedError } from '../errors.ts';
import { resolveLoginOptions } from '../oidc/login-request.ts';
import type { LoginOptions, Verify } from '../options.ts';
import { answerArrival, comeAgain } from './arrival.ts';
import { sendToOp, sendToOpAgain } from './authorization-page.ts';
import { completeLogin, receivePost, type SignIn } from './callback.ts';
import type { FlowParts } from './flow-parts.ts';
import { mayHaveFragment, sendFragmentPage } from './fragment-page.ts';
import { land, landByNextRedirect, lookAgain } from './landing.ts';
import { beginLogin, notANavigation, refuseOutsideNavigation, wantedLogin } from './login.ts';
import { isPrefetch } from './negotiation.ts';
import { type PassportRequest, passportSession } from './passport-session.ts';
import { defaultReturnPath, safeReturnPath, wantedReturnPath } from './return-to.ts';
import { answerCheck } from './session-check.ts';

/** What Passport puts on a strategy before it calls `authenticate`. */
export interface PassportActions {
  success(user: unknown, info?: object): void;
  fail(challenge: object, status: number): void;
  redirect(url: string, status?: number): void;
  error(error: unknown): void;
}

/** Options of `passport.authenticate('oidc', …)` that this strategy reads. */
export interface AuthenticateOptions {
  /**
   * On the login route: where the visitor goes after the login, a path of the application. The
   * callback finds it as Passport has it, by `successReturnToOrRedirect`.
   *
   * @default `?return_to=` of the request, else the start page
   */
  returnTo?: string | undefined;
  successRedirect?: string | undefined;
  /** On the login route: what this login asks for. */
  login?: LoginOptions | undefined;
}

/** What `passport.use()` takes. */
export interface HybridFlowStrategy {
  /** Passport's name of the strategy. */
  readonly name: string;
  /** Called by Passport, on an object that inherits from this one and has its actions. */
  authenticate(this: PassportActions, req: Request, options?: AuthenticateOptions): void;
}

/**
 * The flow as a Passport strategy: the same checks, the same two hops and the same token record
 * as the router. Mount it for the login route, and for GET and POST of the callback.
 */
export function createStrategy(parts: FlowParts, verify: Verify): HybridFlowStrategy {
  const run = async (
    actions: PassportActions,
    req: Request,
    options: AuthenticateOptions,
  ): Promise<void> => {
    const res = req.res as Response;
    if (req.method === 'POST') {
      // Always on to a GET: where the application lands its users is on the route of that.
      await receivePost(parts, req, res);
    } else if (isCallback(req, parts.options.callbackPath)) {
      // HEAD comes here too; neither may spend a code.
      if (req.method !== 'GET' || isPrefetch(req)) throw notANavigation();
      if (mayHaveFragment(req, parts.options)) sendFragmentPage(res, parts.options);
      else if (!(await answerArrival(parts, req, res)) && !(await answerCheck(parts, req, res)))
        await complete(parts, verify, actions, req, options);
    } else await begin(parts, req, options);
  };

  return {
    name: parts.options.sessionKey,
    authenticate(req, options = {}) {
      run(this, req, options)
        .catch((error: unknown) => this.error(error))
        // A callback of the application may throw; Express would have caught that.
        .catch((failure: unknown) => req.next?.(failure));
    },
  };
}

async function begin(parts: FlowParts, req: Request, options: AuthenticateOptions): Promise<void> {
  refuseOutsideNavigation(req);
  const res = req.res as Response;
  if (comeAgain(parts, req, res)) return;
  const returnTo =
    safeReturnPath(options.returnTo, parts.options) ?? wantedReturnPath(req, parts.options);
  const login = wantedLogin(parts, req, options.login && resolveLoginOptions(options.login));
  sendToOp(req, res, await beginLogin(parts, req, res, returnTo, { login }), parts.options);
}

async function complete(
  parts: FlowParts,
  verify: Verify,
  actions: PassportActions,
  req: Request,
  options: AuthenticateOptions,
): Promise<void> {
  const res = req.res as Response;
  let isHandedOver = false;
  const signIn: SignIn = (user, establish, returnTo) => {
    isHandedOver = true;
    landByNextRedirect(parts, req, res);
    // Passport's own convention: `successReturnToOrRedirect` looks there.
    const data = returnTo === defaultReturnPath(parts.options) ? {} : { returnTo };
    return handOver(actions, req, user, (renew) => establish(renew, data));
  };
  const outcome = await completeLogin(parts, req, res, { verify, signIn });
  // From there on the answer is Passport's.
  if (isHandedOver) return;
  switch (outcome.end) {
    case 'signed in':
      return land(parts, req, res, options.successRedirect ?? outcome.returnTo);
    case 'left as before':
      return land(parts, req, res, outcome.returnTo);
    case 'to look again':
      return lookAgain(res, outcome.path);
    case 'begun again':
      return sendToOpAgain(res, outcome.request, parts.options);
    case 'failed':
      if (isRefusal(outcome.error)) actions.fail(challengeOf(outcome.error), 403);
      else actions.error(outcome.error);
  }
}

/**
 * Passport renews the session inside `req.logIn`, after a strategy has had its say, and the token
 * record belongs to the new session: so that one call is taken along.
 */
function handOver(
  actions: PassportActions,
  req: Request,
  user: unknown,
  establish: Parameters<SignIn>[1],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const passport = req as unknown as PassportRequest;
    const { logIn } = passport;
    const logInAndKeepTokens: PassportRequest['logIn'] = (loggedIn, optionsOrDone, last) => {
      passport.logIn = logIn;
      passport.login = logIn;
      const [logInOptions, done] =
        typeof optionsOrDone === 'function' ? [{}, optionsOrDone] : [optionsOrDone, last];
      const established = establish(passportSession(loggedIn, logInOptions));
      established.then(
        () => done?.(),
        (error: unknown) => done?.(error),
      );
      resolve(established);
    };
    passport.logIn = logInAndKeepTokens;
    passport.login = logInAndKeepTokens;
    const giveUp = (): void => reject(new Error('the application did not log the user in'));
    req.res?.once('close', giveUp);
    try {
      actions.success(user);
      // Closed before anybody listened: there is no other end to wait for.
      if (req.res?.closed || req.socket.destroyed) giveUp();
    } catch (failure) {
      reject(failure);
      req.next?.(failure);
    }
  });
}

/** The login route and the callback are told apart by their paths: a login route may have a query. */
function isCallback(req: Request, callbackPath: string): boolean {
  const [path = ''] = req.originalUrl.split('?');
  // From the first slash of a row only, or a long row takes quadratic time.
  return path.replace(/(?<!\/)\/+$/, '').endsWith(callbackPath);
}

/** What Passport calls a failure: the user or the application said no. */
/** The error itself, but that its message is for visitors: Passport shows them that, by `failureMessage` and the like. */
function challengeOf(error: Error): object {
  if (!(error instanceof LoginRefusedError)) return error;
  return Object.create(error, { message: { value: error.reason, enumerable: true } });
}

function isRefusal(error: unknown): error is AuthorizationResponseError | AuthenticationError {
  return error instanceof AuthorizationResponseError || error instanceof AuthenticationError;
}
