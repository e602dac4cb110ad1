import type { Request, RequestHandler } from 'express';
import { keepFromDownstream, setBearer } from './downstream-headers.ts';
import type { FlowParts } from './flow-parts.ts';
import { admit, createGuard, type Guard, type GuardOptions } from './guard.ts';
import { refuseRequest } from './refuse-request.ts';

/** Options of `requireAuth()`. */
export interface RequireAuthOptions<Claims = unknown> extends GuardOptions<Claims> {
  /**
   * Whether a fresh access token goes into `req.headers.authorization`. With `false` the route
   * asks for a login only: nothing is refreshed, and the header is removed.
   *
   * @default true
   */
  accessToken?: boolean | undefined;
  /**
   * Whether the request goes on to an API by a proxy: cookies and hop-by-hop headers are removed
   * from it, as they are none of the API's business.
   *
   * @default false
   */
  proxied?: boolean | undefined;
}

/**
 * Lets signed-in requests through, with `req.oidc` and a fresh bearer token.
 *
 * @throws {@link OptionsError} when `resource`, `audience` or `scope` cannot be one
 */
export function requireAuth(parts: FlowParts, options: RequireAuthOptions): RequestHandler {
  const guard = createGuard(parts, options, options.accessToken ?? true);
  const isProxied = options.proxied ?? false;

  return function requireHybridAuth(req, res, next) {
    authenticate(parts, req, guard, isProxied).then(
      () => next(),
      (error: unknown) => refuseRequest(parts, req, res, next, error, guard.refusal),
    );
  };
}

async function authenticate(
  parts: FlowParts,
  req: Request,
  guard: Guard,
  isProxied: boolean,
): Promise<void> {
  // First of all: whatever happens below, a caller's own token goes nowhere.
  setBearer(req, undefined);
  const { context, accessToken } = await admit(parts, req, guard);
  if (accessToken !== undefined) setBearer(req, accessToken);
  req.oidc = context;
  if (isProxied) keepFromDownstream(req);
}
