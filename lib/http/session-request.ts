import type { Request } from 'express';
import { OptionsError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { SessionStore, StoredCookie, StoredEntry } from '../tokens/session-store.ts';

/** A session as express-session hangs it on the request. */
export interface Session extends Record<string, unknown> {
  cookie: StoredCookie & {
    secure?: boolean | undefined;
    sameSite?: boolean | string | undefined;
    domain?: string | undefined;
    path?: string | undefined;
  };
  regenerate(done: (error: unknown) => void): void;
  destroy(done: (error: unknown) => void): void;
  save(done: (error: unknown) => void): void;
}

/** A request with what express-session adds; `session` is gone after `destroy()`. */
export type SessionRequest = Request & {
  session: Session;
  sessionID: string;
  sessionStore: SessionStore & {
    createSession(req: Request, entry: StoredEntry): unknown;
    /** Gives the request a new session, and forgets the one that it has. */
    generate(req: Request): void;
  };
};

/** Whether express-session has been at work. */
export function hasSession(req: Request): boolean {
  return (req as Partial<SessionRequest>).sessionStore !== undefined;
}

/**
 * The store behind a request, also where it brought no session.
 *
 * @throws {@link OptionsError} `ERR_OIDC_SESSION_MISSING`
 */
export function sessionStoreOf(req: Request): SessionStore {
  const { sessionStore } = req as Partial<SessionRequest>;
  if (sessionStore === undefined) throw missingSession();
  return sessionStore;
}

/**
 * For requests that come from another site: express-session made an empty session, because the
 * visitor's cookie is withheld; saved, its cookie would replace the visitor's.
 */
export function leaveSessionAlone(req: Request): void {
  const request: { session?: unknown; sessionID?: unknown } = req as Partial<SessionRequest>;
  delete request.session;
  delete request.sessionID;
}

/** Whether the session's cookie stays away from whatever another site has caused. */
export function hasStrictSession(req: Request): boolean {
  const { sameSite } = (req as Partial<SessionRequest>).session?.cookie ?? {};
  // express-session takes "Strict" as well.
  return sameSite === true || String(sameSite).toLowerCase() === 'strict';
}

function missingSession(): OptionsError {
  return new OptionsError(
    'ERR_OIDC_SESSION_MISSING',
    'session',
    'there is no session: mount express-session before oidc.router(), oidc.requireAuth() and oidc.optionalAuth()',
  );
}

/**
 * The request with its session.
 *
 * @throws {@link OptionsError} `ERR_OIDC_SESSION_MISSING`, `ERR_OIDC_SESSION_COOKIE`
 */
export function sessionRequest(
  req: Request,
  options: Pick<ResolvedOptions, 'isSecure'>,
): SessionRequest {
  const request = req as SessionRequest;
  if (!hasSession(req)) throw missingSession();
  // express-session drops such a cookie without a word, and every login would end signed out.
  if (request.session?.cookie.secure === true && !req.secure) {
    throw new OptionsError(
      'ERR_OIDC_SESSION_COOKIE',
      'session.cookie.secure',
      options.isSecure
        ? 'the session cookie is Secure and this request is not: behind a proxy that ends TLS, set app.set("trust proxy", 1) and let the proxy send X-Forwarded-Proto'
        : 'the session cookie is Secure and "baseUrl" is http: use cookie.secure "auto" in development',
    );
  }
  return request;
}

/**
 * Refuses to begin a login whose session the browser would not keep: it would come back signed out,
 * and a guarded page would send it to the OP again and again.
 *
 * @throws {@link OptionsError} `ERR_OIDC_SESSION_COOKIE`
 */
export function refuseLostSessionCookie(
  { session }: Partial<Pick<SessionRequest, 'session'>>,
  { baseUrl, basePath }: Pick<ResolvedOptions, 'baseUrl' | 'basePath'>,
): void {
  // Gone after `destroy()`, and not made anew before the next request.
  if (session === undefined) return;
  const { sameSite, secure, domain, path = '/' } = session.cookie;
  const { hostname } = new URL(baseUrl);
  if (String(sameSite).toLowerCase() === 'none' && secure !== true) {
    throw lostCookie('sameSite', 'it is SameSite=None without Secure; Lax and Strict both work');
  }
  if (domain && !`.${hostname}`.endsWith(`.${domain.replace(/^\./, '').toLowerCase()}`)) {
    throw lostCookie('domain', `its domain "${domain}" is not that of "baseUrl", ${hostname}`);
  }
  if (!`${basePath}/`.startsWith(path.endsWith('/') ? path : `${path}/`)) {
    throw lostCookie('path', `its path "${path}" does not contain "baseUrl", ${baseUrl}`);
  }
}

function lostCookie(attribute: string, reason: string): OptionsError {
  return new OptionsError(
    'ERR_OIDC_SESSION_COOKIE',
    `session.cookie.${attribute}`,
    `browsers would not send the session cookie back: ${reason}`,
  );
}
