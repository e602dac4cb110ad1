/**
 * Options as applications write them under `exactOptionalPropertyTypes`: what may be left out may be `undefined`, so that
 * `process.env['AUDIENCE']` is written as it is.
 */
import type {
  Auth0Options,
  AuthenticateOptions,
  ClaimRequest,
  ClientCertificateOptions,
  ClientEncryptionKey,
  ClientKey,
  CommonOptions,
  DpopOptions,
  GuardOptions,
  HybridFlowOptions,
  LoginOptions,
  OptionalAuthOptions,
  PingOneOptions,
  ProxiedOptions,
  ProxyOptions,
  RedisLockOptions,
  RequestObjectOptions,
  RequireAuthOptions,
  TenantClient,
  TenantFlowsOptions,
  TokenTarget,
  TransactionCookieOptions,
} from 'passport-oidc-hybrid';
import type { FakeOpOptions, SignInOptions } from 'passport-oidc-hybrid/testing';

/** Names of a union that may be left out in one member of it at least, and may not be `undefined` there. */
type Refusing<Options> = Options extends unknown
  ? {
      [Name in keyof Options]-?: object extends Pick<Options, Name>
        ? { [Only in Name]: undefined } extends Pick<Options, Name>
          ? never
          : Name
        : never;
    }[keyof Options]
  : never;

/** Compiles where no name is left. */
function expectNone<Name extends never>(..._names: Name[]): void {}

expectNone<Refusing<HybridFlowOptions>>();
expectNone<Refusing<CommonOptions>>();
expectNone<Refusing<TenantFlowsOptions>>();
expectNone<Refusing<TenantClient>>();
expectNone<Refusing<GuardOptions>>();
expectNone<Refusing<RequireAuthOptions>>();
expectNone<Refusing<OptionalAuthOptions>>();
expectNone<Refusing<ProxyOptions>>();
expectNone<Refusing<ProxiedOptions>>();
expectNone<Refusing<AuthenticateOptions>>();
expectNone<Refusing<LoginOptions>>();
expectNone<Refusing<TokenTarget>>();
expectNone<Refusing<TransactionCookieOptions>>();
expectNone<Refusing<RequestObjectOptions>>();
expectNone<Refusing<DpopOptions>>();
expectNone<Refusing<ClaimRequest>>();
expectNone<Refusing<ClientKey>>();
expectNone<Refusing<ClientEncryptionKey>>();
expectNone<Refusing<ClientCertificateOptions>>();
expectNone<Refusing<RedisLockOptions>>();
expectNone<Refusing<Auth0Options>>();
expectNone<Refusing<PingOneOptions>>();
expectNone<Refusing<FakeOpOptions>>();
expectNone<Refusing<SignInOptions>>();

// @ts-expect-error so that what is above can fail
expectNone<Refusing<{ name?: string }>>();
expectNone<Refusing<{ name?: string | undefined; other: string }>>();
