import type { ErrorRequestHandler, RequestHandler, Router } from 'express';
import { createRecentLogins } from './http/callback.ts';
import type { FlowParts } from './http/flow-parts.ts';
import { createLoginSessions } from './http/login-session.ts';
import { createLogoutCookie } from './http/logout-cookie.ts';
import { errorHandler } from './http/refuse-request.ts';
import { optionalAuth, type RequireAuthOptions, requireAuth } from './http/require-auth.ts';
import { createRouter } from './http/router.ts';
import { createStrategy, type HybridFlowStrategy } from './http/strategy.ts';
import { createTransactionCookies } from './http/transaction-cookies.ts';
import { createProvider } from './oidc/provider.ts';
import type { HybridFlowOptions, Verify } from './options.ts';
import { resolveOptions } from './resolve-options.ts';
import { createFreshTokens } from './tokens/fresh-token.ts';
import { inProcessLock } from './tokens/lock.ts';
import { createSealer } from './tokens/seal.ts';
import { createTokenStore } from './tokens/token-store.ts';

/** One client at one OP: the parts an application mounts. */
export interface HybridFlow {
  /** Login, callback and logout routes. Mount it after express-session and before CSRF protection. */
  router(): Router;
  /** Lets signed-in requests through, with `req.oidc` and a fresh bearer token. */
  requireAuth(options?: RequireAuthOptions): RequestHandler;
  /** Attaches `req.oidc` where the visitor is signed in; lets everybody through. */
  optionalAuth(): RequestHandler;
  /**
   * Answers what `req.oidc` throws in your handlers: a login where that helps, problem details or a
   * page otherwise. Mount it after the routes.
   */
  errorHandler(): ErrorRequestHandler;
  /** The same flow as a Passport strategy; its name is the option `sessionKey`: `oidc`. */
  strategy(verify: Verify): HybridFlowStrategy;
  /**
   * Resolves once the OP has been discovered. Optional: without it that happens at the first login.
   *
   * @throws {@link ProviderError}
   */
  ready(): Promise<void>;
}

/**
 * OpenID Connect login by the hybrid flow, for Express.
 *
 * @throws {@link OptionsError} when an option is wrong, missing or unknown
 */
export function hybridFlow(options: HybridFlowOptions): HybridFlow {
  const parts = buildParts(options);
  const recent = createRecentLogins();
  return {
    router: () => createRouter(parts, recent),
    requireAuth: (guard = {}) => requireAuth(parts, guard),
    optionalAuth: () => optionalAuth(parts),
    errorHandler: () => errorHandler(parts),
    strategy: (verify) => createStrategy(parts, verify, recent),
    ready: async () => {
      await parts.provider.discovered();
    },
  };
}

function buildParts(given: HybridFlowOptions): FlowParts {
  const options = resolveOptions(given);
  const provider = createProvider(options);
  const sealer = createSealer(options.secrets);
  const tokenStore = createTokenStore(sealer, options);
  const lock = options.lock ?? inProcessLock();
  const freshTokens = createFreshTokens({ options, provider, tokenStore, lock });
  return {
    options,
    provider,
    sealer,
    tokenStore,
    freshTokens,
    transactionCookies: createTransactionCookies(options, sealer),
    logoutCookie: createLogoutCookie(options, sealer),
    loginSessions: createLoginSessions(options, tokenStore, (place) =>
      freshTokens.end(place, 'application'),
    ),
  };
}
