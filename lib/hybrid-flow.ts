import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { Store } from 'express-session';
import { OptionsError } from './errors.ts';
import type { FlowParts } from './http/flow-parts.ts';
import type { GuardHandler } from './http/guard-handler.ts';
import { loginReader, loginRoute } from './http/login.ts';
import { createLoginOutcomes } from './http/login-outcomes.ts';
import { createLoginSessions } from './http/login-session.ts';
import { createLogoutCookie } from './http/logout-cookie.ts';
import { contextOf, type OidcContext } from './http/oidc-context.ts';
import { type OptionalAuthOptions, optionalAuth } from './http/optional-auth.ts';
import { type ProxyOptions, proxy } from './http/proxy/proxy.ts';
import { errorHandler } from './http/refuse-request.ts';
import { type RequireAuthOptions, requireAuth } from './http/require-auth.ts';
import { createRouter } from './http/router.ts';
import { createSessionChecks } from './http/session-check.ts';
import { createSilentLogins } from './http/silent-login.ts';
import { createStrategy, type HybridFlowStrategy } from './http/strategy.ts';
import { createTransactionCookies } from './http/transaction-cookies.ts';
import type { Lock } from './lock.ts';
import { obeyNodeDebug } from './log.ts';
import { createMutualTls } from './oidc/mutual-tls.ts';
import { createProvider } from './oidc/provider.ts';
import { warnOfProvider } from './oidc/start-up-warnings.ts';
import { resolveOptions } from './options/resolve-options.ts';
import type { HybridFlowOptions, LoginOptions, Verify } from './options.ts';
import { boundedLock } from './tokens/bounded-lock.ts';
import { createEndSessions } from './tokens/end-sessions.ts';
import { createFreshTokens } from './tokens/fresh-token.ts';
import { inProcessLock, isInProcess } from './tokens/lock.ts';
import { createOneTimeNames } from './tokens/one-time-names.ts';
import { createSealer } from './tokens/seal.ts';
import { createSessionIndex, type SessionsOf } from './tokens/session-index.ts';
import type { SessionStore } from './tokens/session-store.ts';
import type { TenantSessions } from './tokens/tenant-sessions.ts';
import { createTokenStore, type OpenedRecords } from './tokens/token-store.ts';

/** One client at one OP: the parts an application mounts. */
export interface HybridFlow<Claims = unknown> {
  /** Login, callback and logout routes. Mount it after express-session and before CSRF protection. */
  router(): RequestHandler;
  /**
   * A login route of its own, which begins a login with these options whoever is signed in:
   * `app.get('/sign-up', oidc.login({ prompt: 'create' }))`. Takes `?return_to=/path`.
   */
  login(options?: LoginOptions | ((req: Request) => LoginOptions | undefined)): RequestHandler;
  /** Lets signed-in requests through, with `req.oidc` and a fresh bearer token. */
  requireAuth(options?: RequireAuthOptions<Claims>): GuardHandler<OidcContext<Claims>>;
  /**
   * Sends signed-in requests on to an API, with a fresh bearer token, and streams the answers back: guard and
   * proxy in one, which can send a request once more with another token where the API refuses the first.
   */
  proxy(options: ProxyOptions<Claims>): RequestHandler;
  /** Attaches `req.oidc` where the visitor is signed in; lets everybody through. */
  optionalAuth(options?: OptionalAuthOptions): GuardHandler<OidcContext<Claims> | undefined>;
  /**
   * `req.oidc` where the compiler cannot see that a guard comes before: behind `app.use(oidc.requireAuth())`.
   *
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_REQUIRED` where no guard has set it
   */
  contextOf(req: Request): OidcContext<Claims>;
  /**
   * Answers what `req.oidc` throws in your handlers: a login where that helps, problem details or a
   * page otherwise. Mount it after the routes.
   */
  errorHandler(): ErrorRequestHandler;
  /** The same flow as a Passport strategy; its name is the option `sessionKey`: `oidc`. */
  strategy(verify: Verify<Claims>): HybridFlowStrategy;
  /**
   * Ends the sessions of a subject, or of one session at the OP, in all processes that share the
   * store: for administrators. Needs the option `indexSessions`.
   *
   * @param store the session store. @default those that requests have come with
   * @returns how many sessions were ended
   * @throws {@link OptionsError} without an index, or before the first request without a store
   * @throws {@link SessionStoreError}
   */
  endSessions(whose: SessionsOf, store?: Store): Promise<number>;
  /**
   * The public keys of `clientKey` and `clientEncryptionKey`, for the OP: as JSON at a URL of the application, or to be pasted at
   * the OP. To rotate, put the new key behind the old one, and before it when the OP knows it.
   */
  jwks(): { keys: Readonly<Record<string, unknown>>[] };
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
 * `Claims` are those that the application expects besides the standard ones. Nothing checks that they are
 * there: `verify` can.
 *
 * @throws {@link OptionsError} when an option is wrong, missing or unknown
 */
export function hybridFlow<Claims = unknown>(
  options: HybridFlowOptions<Claims>,
): HybridFlow<Claims> {
  // What the claims are beyond the standard ones is the application's word, and of no use in here.
  return flowOfParts(buildParts(options as HybridFlowOptions)) as HybridFlow<Claims>;
}

/** What the flows of all tenants share. */
export interface SharedParts {
  /** One for all, as a tenant may get a new flow in the middle of a refresh. */
  readonly lock: Lock;
  readonly openedRecords: OpenedRecords;
  readonly sessions: TenantSessions;
}

/**
 * The flow of one tenant.
 *
 * @throws {@link OptionsError} when an option is wrong, missing or unknown
 */
export function tenantFlow(
  options: HybridFlowOptions,
  tenantId: string,
  shared: SharedParts,
): HybridFlow {
  return flowOfParts(buildParts(options, tenantId, shared));
}

function flowOfParts(parts: FlowParts): HybridFlow {
  obeyNodeDebug();
  return {
    router: () => createRouter(parts),
    login: (login) => loginRoute(parts, loginReader(login)),
    requireAuth: (guard = {}) => requireAuth(parts, guard) as GuardHandler,
    proxy: (options) => proxy(parts, options as ProxyOptions),
    optionalAuth: (wishes = {}) =>
      optionalAuth(parts, wishes) as GuardHandler<OidcContext | undefined>,
    contextOf: (req) => contextOf(parts, req),
    errorHandler: () => errorHandler(parts),
    strategy: (verify) => createStrategy(parts, verify),
    endSessions: (whose, store) => endSessionsOf(parts, whose, store),
    jwks: () => jwksOf(parts.options),
    ready: async () => {
      await parts.provider.discovered();
    },
  };
}

function jwksOf({
  clientKeys,
  encryptionKeys,
}: FlowParts['options']): ReturnType<HybridFlow['jwks']> {
  return { keys: [...clientKeys, ...encryptionKeys].map(({ publicJwk }) => ({ ...publicJwk })) };
}

async function endSessionsOf(
  { loginSessions, endSessions }: FlowParts,
  whose: SessionsOf,
  store: Store | undefined,
): Promise<number> {
  if (endSessions === undefined) {
    const message = '"indexSessions" has to be true, so that sessions can be found by subject';
    throw new OptionsError('ERR_OIDC_OPTION_MISSING', 'indexSessions', message);
  }
  const stores = store === undefined ? loginSessions.stores() : [store as unknown as SessionStore];
  if (stores.length === 0) {
    const message =
      'no request has come yet, so the session store is not known; give it to endSessions()';
    throw new OptionsError('ERR_OIDC_SESSION_MISSING', 'store', message);
  }
  const names = Object.entries(whose).filter(([, value]) => value !== undefined);
  const isOne = names.length === 1 && names.every(([name]) => ['sub', 'sid'].includes(name));
  if (!isOne || names.some(([, value]) => typeof value !== 'string' || value === '')) {
    const message = 'endSessions() takes either { sub } or { sid }, a non-empty string';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'endSessions', message);
  }
  let ended = 0;
  for (const one of stores) ended += await endSessions.end(one, whose, 'application');
  return ended;
}

function buildParts(given: HybridFlowOptions, tenantId?: string, shared?: SharedParts): FlowParts {
  const options = resolveOptions(given, tenantId);
  const mutualTls = options.clientCertificate && createMutualTls(options.clientCertificate);
  const provider = createProvider(options, mutualTls, (found) => warnOfProvider(found, options));
  const sealer = createSealer(options.secrets);
  const tokenStore = createTokenStore(sealer, options, shared?.openedRecords);
  const givenLock = shared?.lock ?? options.lock ?? inProcessLock();
  const lock = boundedLock(givenLock);
  const index = options.indexSessions ? createSessionIndex(options, lock) : undefined;
  const freshTokens = createFreshTokens({ options, provider, tokenStore, lock });
  const loginSessions = createLoginSessions(
    options,
    tokenStore,
    (place) => freshTokens.end(place, 'application'),
    index,
    shared?.sessions,
  );
  return {
    options,
    provider,
    mutualTls,
    sealer,
    tokenStore,
    freshTokens,
    endSessions: index && createEndSessions({ index, tokenStore, freshTokens, provider }),
    oneTimeNames: createOneTimeNames(options),
    transactionCookies: createTransactionCookies(options, sealer),
    logoutCookie: createLogoutCookie(options, sealer),
    silentLogins: createSilentLogins(options),
    sessionChecks: createSessionChecks(options, sealer),
    loginSessions,
    loginOutcomes: createLoginOutcomes({
      options,
      sealer,
      lock: isInProcess(givenLock) ? undefined : lock,
      loginSessions,
    }),
  };
}
