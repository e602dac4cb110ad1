import type { Request, RequestHandler } from 'express';
import { keepFromDownstream, setAuthorization, setBearer } from './downstream-headers.ts';
import { takeNonce } from './downstream-nonce.ts';
import type { FlowParts } from './flow-parts.ts';
import { admit, createGuard, type Guard, type GuardOptions } from './guard.ts';
import type { RequestContext } from './oidc-context.ts';
import {
  type ProxiedOptions,
  readProxiedUrl,
  refuseOtherThanPath,
  type UrlOf,
} from './proxied-url.ts';
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
   * from it, as they are none of the API's business. With the option `dpop` it has to be known where it
   * goes: `{ to: 'https://api.example' }`.
   *
   * @default false
   */
  proxied?: boolean | ProxiedOptions | undefined;
}

/**
 * Lets signed-in requests through, with `req.oidc` and a fresh bearer token.
 *
 * @throws {@link OptionsError} when `resource`, `audience`, `scope` or `proxied` cannot be one
 */
export function requireAuth(parts: FlowParts, options: RequireAuthOptions): RequestHandler {
  const { accessToken: needsToken = true, proxied = false } = options;
  const guard = createGuard(parts, options, needsToken);
  const way = {
    proxied,
    urlOf: readProxiedUrl(proxied, needsToken, parts.options),
  };

  return function requireHybridAuth(req, res, next) {
    authenticate(parts, req, guard, way).then(
      () => {
        parts.sessionChecks.found(req, res);
        next();
      },
      (error: unknown) => refuseRequest(parts, req, res, next, error, guard.refusal),
    );
  };
}

/** Where a request goes on to. */
interface Way {
  readonly proxied: boolean | ProxiedOptions;
  readonly urlOf: UrlOf | undefined;
}

async function authenticate(
  parts: FlowParts,
  req: Request,
  guard: Guard,
  { proxied, urlOf }: Way,
): Promise<void> {
  // First of all: whatever happens below, a caller's own token goes nowhere.
  setBearer(req, undefined);
  if (proxied !== false) refuseOtherThanPath(req, proxied);
  const { context, accessToken } = await admit(parts, req, guard);
  if (context.isProven) await prove(req, context, accessToken, urlOf);
  else if (accessToken !== undefined) setBearer(req, accessToken);
  req.oidc = context;
  if (proxied !== false) keepFromDownstream(req);
}

/** For the one request that the proxy will make; a caller's own proof goes nowhere. */
async function prove(
  req: Request,
  context: RequestContext,
  accessToken: string | undefined,
  urlOf: UrlOf | undefined,
): Promise<void> {
  if (accessToken === undefined) {
    setAuthorization(req, {});
  } else if (urlOf === undefined) {
    // No proof without a URL: handlers have `fetch` and `headersFor`.
    setAuthorization(req, { authorization: `DPoP ${accessToken}` });
  } else {
    const { headers, learn } = await context.prove(accessToken, req.method, urlOf(req));
    setAuthorization(req, headers);
    takeNonce(req, learn);
  }
}
