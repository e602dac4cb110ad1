/**
 * Everything that an application imports: begin with {@link hybridFlow}.
 *
 * @module passport-oidc-hybrid
 */

export type { AuthorizationDetail } from './authorization-details.ts';
export type { ClientCertificateOptions } from './client-certificate.ts';
export type {
  ClientEncryptionKey,
  ClientEncryptionKeys,
  KeyAlgorithm,
} from './encryption-key.ts';
export * from './errors.ts';
export type {
  ErrorEvent,
  EventLogin,
  HybridFlowEvents,
  LoginEvent,
  LogoutEvent,
  RefreshEvent,
  RefusalEvent,
  ReuseEvent,
  StepEvent,
} from './events.ts';
export { subscribe } from './events.ts';
export { attemptIdOf } from './http/attempt.ts';
export type { GuardOptions } from './http/guard.ts';
export type { GuardedLocals, GuardHandler, LoginOf } from './http/guard-handler.ts';
export type { AccessToken, AuthenticatedRequest, OidcContext } from './http/oidc-context.ts';
export type { OptionalAuthOptions } from './http/optional-auth.ts';
export type { ProxiedOptions } from './http/proxied-url.ts';
export type { ProxyOptions } from './http/proxy/proxy.ts';
export type { Unauthenticated } from './http/refuse-request.ts';
export type { RequireAuthOptions } from './http/require-auth.ts';
export type { AuthenticateOptions, HybridFlowStrategy, PassportActions } from './http/strategy.ts';
export type { HybridFlow } from './hybrid-flow.ts';
export { hybridFlow } from './hybrid-flow.ts';
export type { Lock, Release } from './lock.ts';
export type { LogLine } from './log.ts';
export { logTo } from './log.ts';
export type { IdTokenClaims, UserinfoClaims } from './oidc/id-token-claims.ts';
export type { TokenTarget } from './oidc/token-target.ts';
export type { ResolveClient, TenantClient, TenantFlowsOptions } from './options/resolve-tenants.ts';
export type {
  AllowedOrganizations,
  AuthorizationDetails,
  AuthorizationParams,
  AuthorizationRequestMethod,
  CarryOver,
  ClaimRequest,
  ClaimsOption,
  ClientCredentials,
  ClientKeys,
  CommonOptions,
  DpopAlgorithm,
  DpopOptions,
  EncryptedResponse,
  EndSessionParams,
  EndSessionUrl,
  FailedRequest,
  HybridFlowOptions,
  LoginOptions,
  LogoutAtOp,
  OnError,
  OnRefreshFailure,
  Profile,
  PushedAuthorizationRequests,
  RefreshFailure,
  RequestedClaims,
  RequestObjectClaims,
  RequestObjectOptions,
  ResponseMode,
  ResponseTransport,
  ResponseType,
  ReturnedOrganization,
  SignatureAlgorithm,
  TokenEndpointAuthMethod,
  TransactionCookieOptions,
  VerifiedLogin,
  Verify,
  VisitBeforeLogin,
} from './options.ts';
export type { Auth0Options } from './providers/auth0.ts';
export { auth0 } from './providers/auth0.ts';
export type {
  LoginHint,
  PingOneEnvironment,
  PingOneOptions,
  PingOneRegion,
  PingOneRequestClaims,
} from './providers/pingone.ts';
export { pingOne, pingOneLoginHintToken } from './providers/pingone.ts';
export type { PresetOptions } from './providers/preset.ts';
export type {
  AsymmetricAlgorithm,
  ClientKey,
  PrivateKey,
  SecretAlgorithm,
} from './signing-key.ts';
export type { TenantFlows } from './tenant-flows.ts';
export { tenantFlows } from './tenant-flows.ts';
export { inProcessLock } from './tokens/lock.ts';
export type { IoRedisClient, NodeRedisClient, RedisLockOptions } from './tokens/redis-lock.ts';
export { redisLock } from './tokens/redis-lock.ts';
export type { SessionsOf } from './tokens/session-index.ts';
