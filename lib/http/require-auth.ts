import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { AuthenticationError } from '../errors.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import type { ResolvedOptions } from '../options.ts';
import { answerError, sendProblem } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { beginLogin } from './login.ts';
import { isForged, isNavigation } from './negotiation.ts';
import { RequestContext } from './oidc-context.ts';
import { sendOn } from './pages.ts';
import { defaultReturnPath, requestedPath, safeReturnPath } from './return-to.ts';

/** What becomes of a request without a login: a login begins, or it gets a 401. */
export type Unauthenticated = 'login' | 'problem';

/** Options of `requireAuth()`. */
export interface RequireAuthOptions {
  /**
   * Whether a fresh access token goes into `req.headers.authorization`. With `false` the route
   * asks for a login only: nothing is refreshed, and the header is removed.
   *
   * @default true
   */
  accessToken?: boolean | undefined;
  /** Space-separated scope that the access token must have; else 403. */
  scope?: string | undefined;
  /** Whether the user may pass; else 403. */
  claims?: ((claims: IdTokenClaims) => boolean) | undefined;
  /** @default 'login' for navigations of a browser, 'problem' for all other requests */
  onUnauthenticated?: Unauthenticated | ((req: Request) => Unauthenticated) | undefined;
}

/** Lets signed-in requests through, with `req.oidc` and a fresh bearer token. */
export function requireAuth(parts: FlowParts, options: RequireAuthOptions): RequestHandler {
  const { onUnauthenticated = defaultAnswer } = options;
  const answerFor =
    typeof onUnauthenticated === 'function' ? onUnauthenticated : () => onUnauthenticated;

  return function requireHybridAuth(req, res, next) {
    authenticate(parts, req, options).then(
      () => next(),
      (error: unknown) => refuse(parts, req, res, next, error, answerFor),
    );
  };
}

/** Attaches `req.oidc` where the visitor is signed in, lets everybody through, refreshes nothing. */
export function optionalAuth(parts: FlowParts): RequestHandler {
  return function optionalHybridAuth(req, res, next) {
    parts.loginSessions.current(req).then(
      (login) => {
        if (login) req.oidc = new RequestContext(parts, login);
        next();
      },
      (error: unknown) => answerError(error, req, res, next, parts.options),
    );
  };
}

function defaultAnswer(req: Request): Unauthenticated {
  return isNavigation(req) ? 'login' : 'problem';
}

async function authenticate(
  parts: FlowParts,
  req: Request,
  options: RequireAuthOptions,
): Promise<void> {
  // First of all: whatever happens below, a caller's own token goes nowhere.
  setAuthorization(req, undefined);
  if (isForged(req, parts.options.origin, parts.options.trustedOrigins)) {
    throw new AuthenticationError(
      'ERR_OIDC_CROSS_SITE_REQUEST',
      'another site sent a request that changes something; see trustedOrigins',
    );
  }
  const login = await parts.loginSessions.current(req);
  if (login === undefined) {
    throw new AuthenticationError('ERR_OIDC_LOGIN_REQUIRED', 'this request has no login');
  }
  const context = new RequestContext(parts, login);
  if (options.accessToken ?? true) {
    const { value } = await context.accessToken();
    setAuthorization(req, `Bearer ${value}`);
  }
  checkAccess(context, options);
  req.oidc = context;
}

function checkAccess(context: RequestContext, { scope = '', claims }: RequireAuthOptions): void {
  const missing = scope.split(' ').filter((wanted) => wanted && !context.scope.includes(wanted));
  if (missing.length > 0) {
    throw new AuthenticationError(
      'ERR_OIDC_INSUFFICIENT_SCOPE',
      `the access token lacks the scope ${missing.join(' ')}`,
    );
  }
  if (claims?.(context.claims) === false) {
    throw new AuthenticationError(
      'ERR_OIDC_INSUFFICIENT_CLAIMS',
      'the claims of the user do not satisfy this route',
    );
  }
}

/**
 * Sets the header in all places where proxies look for it. Node makes the other two of `rawHeaders`
 * when they are first read, counting on its length: so they are read before it changes.
 */
function setAuthorization(req: Request, value: string | undefined): void {
  const { headers, headersDistinct, rawHeaders } = req;
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') rawHeaders.splice(index, 2);
  }
  delete headers.authorization;
  delete headersDistinct['authorization'];
  if (value === undefined) return;
  rawHeaders.push('Authorization', value);
  headers.authorization = value;
  headersDistinct['authorization'] = [value];
}

async function refuse(
  parts: FlowParts,
  req: Request,
  res: Response,
  next: NextFunction,
  error: unknown,
  answerFor: (req: Request) => Unauthenticated,
): Promise<void> {
  const { options } = parts;
  try {
    if (!(error instanceof AuthenticationError) || error.status !== 401) throw error;
    if (error.code === 'ERR_OIDC_LOGIN_ENDED') await parts.loginSessions.end(req);
    if (answerFor(req) === 'login') {
      sendOn(req, res, await beginLogin(parts, req, res, wantedPath(req, options)), 'Signing in');
    } else sendProblem(error, res, options);
  } catch (failure) {
    answerError(failure, req, res, next, options);
  }
}

/** The URL asked for; for a form that was sent, the page that it was on. */
function wantedPath(req: Request, options: ResolvedOptions): string {
  if (req.method === 'GET' || req.method === 'HEAD') {
    return requestedPath(req, options) ?? defaultReturnPath(options);
  }
  const referer = req.headers.referer ?? '';
  const isOurs = referer.startsWith(`${options.origin}/`);
  const path = isOurs ? safeReturnPath(referer.slice(options.origin.length), options) : undefined;
  return path ?? defaultReturnPath(options);
}
