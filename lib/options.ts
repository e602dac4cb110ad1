import type { NextFunction, Request, Response } from 'express';
import type { AuthorizationDetail } from './authorization-details.ts';
import type { ClientCertificate, ClientCertificateOptions } from './client-certificate.ts';
import type { ClientEncryptionKeys, EncryptionKeyPair } from './encryption-key.ts';
import type { HybridFlowError } from './errors.ts';
import type { Lock } from './lock.ts';
import type { IdTokenClaims, UserinfoClaims } from './oidc/id-token-claims.ts';
import {
  type AsymmetricAlgorithm,
  asymmetricAlgorithms,
  type ClientKey,
  type PrivateKey,
  type SecretAlgorithm,
  type SigningKey,
  type SigningKeyPair,
} from './signing-key.ts';

/** The response types of the hybrid flow, and plain `code`. Wire name: `response_type`. */
export type ResponseType = 'code' | 'code id_token' | 'code token' | 'code id_token token';

/** The ways of an answer through the browser. */
export type ResponseTransport = 'form_post' | 'query' | 'fragment';

/**
 * How the OP sends its answer; with `jwt` as a signed JWT (JARM), `jwt` alone by the way that belongs
 * to the response type. Wire name: `response_mode`.
 */
export type ResponseMode = ResponseTransport | `${ResponseTransport}.jwt` | 'jwt';

/** How the browser brings the authorization request to the OP. */
export type AuthorizationRequestMethod = 'get' | 'post';

/**
 * Which authorization requests go to the OP directly, so that the browser brings a reference only:
 * where the OP `required` them, wherever they are `offered`, or `always`.
 */
export type PushedAuthorizationRequests = 'required' | 'offered' | 'always';

/** How the client authenticates at the token endpoint. Wire name: `token_endpoint_auth_method`. */
export type TokenEndpointAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'none';

/** JWS algorithms of DPoP proofs. */
export type DpopAlgorithm = 'ES256' | 'EdDSA' | 'Ed25519';

/** How tokens are bound to a key of each login. */
export interface DpopOptions {
  /** Of the proofs. @default 'ES256' */
  alg?: DpopAlgorithm | undefined;
}

/** What `verify` gets: a login in which every check has passed. */
export interface VerifiedLogin<Claims = unknown> {
  /** Claims of the ID Token from the token endpoint. */
  readonly claims: IdTokenClaims & Claims;
  /** The code-exchanged access token, for calls made during the login. */
  readonly accessToken: string;
  /** Scope that was granted. */
  readonly scope: readonly string[];
  /** What the UserInfo Endpoint says of the user, with the option `loadUserinfo`. */
  readonly userinfo: UserinfoClaims | undefined;
  /** What was granted of the option `authorizationDetails`. */
  readonly authorizationDetails: readonly AuthorizationDetail[];
  readonly req: Request;
  /**
   * Refuses the login with a reason that the visitor sees. It throws, so that nothing after it lets the
   * login through.
   */
  readonly refuse: (reason: string) => never;
}

/**
 * Turns a verified login into the application's user, or refuses it: with a reason by `refuse`, or
 * without one by returning `false`.
 *
 * Where Passport is mounted, the user it returns goes through `req.logIn`.
 */
export type Verify<Claims = unknown> = (login: VerifiedLogin<Claims>) => unknown | Promise<unknown>;

/** A refresh that did not succeed. */
export interface RefreshFailure {
  readonly error: HybridFlowError;
  /**
   * The OP has ended the grant, or answered for somebody else; otherwise it has failed, and the
   * refresh token may still be good.
   */
  readonly isGrantDead: boolean;
  readonly claims: IdTokenClaims;
}

/**
 * Decides what a failed refresh does to the login. `'end'` destroys the session. `'keep'` leaves the
 * user signed in, and the present access token in use until it expires; after a dead grant nothing
 * comes after that, and routes that need an access token ask for a login. `undefined` is the default.
 *
 * Not to be waited for: it is called while the lock of the login is held.
 */
export type OnRefreshFailure = (failure: RefreshFailure) => 'end' | 'keep' | undefined;

/** What {@link CarryOver} is asked about: a visitor who was not signed in, or as the same user. */
export interface VisitBeforeLogin {
  /** What the application kept in the visitor's session. */
  readonly session: Readonly<Record<string, unknown>>;
  /** Claims of the user who is being signed in. */
  readonly claims: IdTokenClaims;
}

/** What of the visitor's session goes over into the new one: its keys, or a function that picks. */
export type CarryOver =
  | readonly string[]
  | ((visit: VisitBeforeLogin) => Readonly<Record<string, unknown>>);

/**
 * Name and scope of this library's own cookies. All else about them is fixed: `HttpOnly`,
 * `SameSite=Lax`, and `Secure` where `baseUrl` is https.
 */
export interface TransactionCookieOptions {
  /** Begins their names, after `__Host-`. @default the option `sessionKey` */
  name?: string | undefined;
  /** The path of `baseUrl`, or one above it. Gives `__Host-` up. @default '/' */
  path?: string | undefined;
  /**
   * The host of `baseUrl`, or a domain above it, for logins that begin on another of its hosts. Gives
   * `__Host-` up: every host of the domain can then plant such cookies. @default none
   */
  domain?: string | undefined;
}

/** A request that failed, and what is needed to answer it. */
export interface FailedRequest {
  readonly error: HybridFlowError;
  readonly req: Request;
  readonly res: Response;
  /** Hands on to the application's own error handler: `next(error)`. */
  readonly next: NextFunction;
  /** Path of the login route, to try again; leads where the visitor was going, where that is known. */
  readonly loginPath: string;
}

/**
 * Answers a request that failed.
 *
 * The default renders a small page, or problem details as JSON. The 401 of `requireAuth` to an API call is no failure: it is always problem details.
 */
export type OnError = (failure: FailedRequest) => void | Promise<void>;

/** An organization that a login was with, by the claims of the ID Token. */
export interface ReturnedOrganization {
  /** Claim `org_id`. */
  readonly id: string | undefined;
  /** Claim `org_name`. */
  readonly name: string | undefined;
  /** What this login asked for; it has been held against the claims. */
  readonly asked: string | undefined;
  readonly claims: IdTokenClaims;
}

/** Ids (`org_…`) and names of organizations, or a function that lets in by `true`. */
export type AllowedOrganizations =
  | readonly string[]
  | ((organization: ReturnedOrganization) => boolean | Promise<boolean>);

/** A logout that goes on to the OP. */
export interface LogoutAtOp {
  /** The standard request (RP-Initiated Logout), where the OP has such an endpoint. */
  readonly url: string | undefined;
  readonly clientId: string;
  /** The ID Token of the login that ends. */
  readonly idTokenHint: string | undefined;
  /** Where the OP has to send the browser, with `state` in the query. */
  readonly postLogoutRedirectUri: string;
  readonly state: string;
}

/** Makes the URL at the OP to which a logout leads; `undefined` for none. */
export type EndSessionUrl = (logout: LogoutAtOp) => string | undefined;

/** Parameters such as `logout_hint` and `ui_locales`, the same for all or by the claims of the login. */
export type EndSessionParams =
  | Readonly<Record<string, string>>
  | ((claims: IdTokenClaims) => Readonly<Record<string, string>>);

/** What one login asks for, beyond what the options of the flow say for all of them. */
export interface LoginOptions {
  /** Whether the OP shall ask the user: `login`, `consent`, `select_account`. Wire name: `prompt`. */
  prompt?: string | undefined;
  /** Whom the OP may expect, as it is used to name users. Wire name: `login_hint`. */
  loginHint?: string | undefined;
  /** In place of the option; enforced. Wire name: `acr_values`. */
  acrValues?: string | undefined;
  /** Seconds; enforced. The smaller one counts of this and the option. Wire name: `max_age`. */
  maxAge?: number | undefined;
  /** In place of the option; enforced. */
  organization?: string | undefined;
  /** Further authorization parameters by their wire names, over those of the option. */
  authorizationParams?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Further authorization parameters by their wire names: the same for every login, or made for each. */
export type AuthorizationParams =
  | Readonly<Record<string, string | undefined>>
  | ((
      req: Request,
    ) =>
      | Readonly<Record<string, string | undefined>>
      | Promise<Readonly<Record<string, string | undefined>>>);

/**
 * How one claim is asked for. `value` and `values` are enforced on the claim that comes; `essential`,
 * that one comes.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests Core 5.5.1}
 */
export interface ClaimRequest {
  /** The login is refused without the claim. @default false */
  readonly essential?: boolean | undefined;
  /** The value it has to have. */
  readonly value?: unknown;
  /** The values of which it has to have one. */
  readonly values?: readonly unknown[] | undefined;
}

/** Claims by their names; `null` asks for one without a wish. */
export type RequestedClaims = Readonly<Record<string, ClaimRequest | null>>;

/** Claims that are asked for one by one, beyond those of a scope. */
export interface ClaimsOption {
  /** Claims of the ID Token. Wire name: `id_token`. */
  readonly idToken?: RequestedClaims | undefined;
  /** Claims of UserInfo; enforced where it is asked for. Wire name: `userinfo`. */
  readonly userinfo?: RequestedClaims | undefined;
}

/** What the user is asked to allow: the same at every login, or made for each. */
export type AuthorizationDetails =
  | readonly AuthorizationDetail[]
  | ((req: Request) => readonly AuthorizationDetail[] | Promise<readonly AuthorizationDetail[]>);

/** A key of the client; of several the first signs, and all are in `jwks()`. */
export type ClientKeys = PrivateKey | ClientKey | readonly (PrivateKey | ClientKey)[];

/** A confidential client has a secret or a key; a public one says that it has none. */
export type ClientCredentials =
  | {
      /** Wire name: `client_secret`. */
      clientSecret: string;
      /** For `private_key_jwt`, and for request objects. */
      clientKey?: ClientKeys | undefined;
      /** Wire name: `token_endpoint_auth_method`. @default what the OP offers, basic first */
      tokenEndpointAuthMethod?: Exclude<TokenEndpointAuthMethod, 'none'> | undefined;
      /** Of `client_secret_jwt`. Wire name: `token_endpoint_auth_signing_alg`. @default 'HS256' */
      tokenEndpointAuthSigningAlg?: SecretAlgorithm | undefined;
    }
  | {
      clientSecret?: undefined;
      clientKey: ClientKeys;
      tokenEndpointAuthMethod?: 'private_key_jwt' | undefined;
      tokenEndpointAuthSigningAlg?: undefined;
    }
  | {
      clientSecret?: undefined;
      /** For request objects. */
      clientKey?: ClientKeys | undefined;
      /** A public client: PKCE alone binds the code. */
      tokenEndpointAuthMethod: 'none';
      tokenEndpointAuthSigningAlg?: undefined;
    }
  | {
      clientSecret?: undefined;
      /** For request objects. */
      clientKey?: ClientKeys | undefined;
      /** By the `clientCertificate`, which is signed by a CA or by itself. */
      tokenEndpointAuthMethod: 'tls_client_auth' | 'self_signed_tls_client_auth';
      tokenEndpointAuthSigningAlg?: undefined;
    };

/** Claims of a request object that are no parameters. */
export type RequestObjectClaims =
  | Readonly<Record<string, unknown>>
  | ((
      req: Request,
    ) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>);

/** How authorization requests are signed. */
export interface RequestObjectOptions {
  /** @default 'client_key' if there is one, else 'client_secret' */
  signedWith?: 'client_secret' | 'client_key' | undefined;
  /** With the client secret. With a key it is the key's. @default 'HS256' */
  alg?: SecretAlgorithm | undefined;
  /** Further claims, or a function of the request that makes them; those of the request are refused. */
  claims?: RequestObjectClaims | undefined;
  /** How long the OP may take it. @default 300 */
  lifetimeSeconds?: number | undefined;
  /** Type in the header. @default 'oauth-authz-req+jwt' */
  typ?: string | undefined;
}

/** What the OP may send encrypted: ID Tokens, UserInfo, authorization responses that are JWTs. */
export type EncryptedResponse = 'idToken' | 'userinfo' | 'authorization';

/** A security profile: what it demands is turned on, what it forbids is refused at start-up. */
export type Profile = 'fapi2' | 'fapi1-advanced';

/** Options of {@link hybridFlow}. */
export type HybridFlowOptions<Claims = unknown> = CommonOptions<Claims> & ClientCredentials;

/** All options but the client's credentials. */
export interface CommonOptions<Claims = unknown> {
  /** Issuer identifier of the OP, exactly as its discovery document spells it. */
  issuer: string;
  /** Wire name: `client_id`. */
  clientId: string;
  /** Public URL of the application, as browsers see it; may contain a path. */
  baseUrl: string;
  /** Seals cookies and stored tokens: at least 32 characters. The first of an array seals, all open. */
  secret: string | readonly string[];
  /**
   * Holds options and answers to a security profile of the OpenID Foundation: FAPI 2.0 Security Profile,
   * or FAPI 1.0 Advanced. @default none
   */
  profile?: Profile | undefined;
  /** Wire name: `response_type`. @default 'code id_token' */
  responseType?: ResponseType | undefined;
  /**
   * Wire name: `response_mode`. `query` only with `code`; `fragment` needs a script in the browser.
   * Those with `jwt` have the answer come as a JWT of the OP, and nothing else is taken (JARM).
   *
   * @default 'query' for `code`; else 'form_post', or 'fragment' where the OP lists no 'form_post'
   */
  responseMode?: ResponseMode | undefined;
  /** `post` sends a form that submits itself, with a button where scripts are off. @default 'get' */
  authorizationRequestMethod?: AuthorizationRequestMethod | undefined;
  /**
   * Pushed authorization requests (RFC 9126): where the OP's discovery document requires them,
   * wherever it offers them, or always; then no login begins where it does not.
   *
   * @default 'required'
   */
  pushedAuthorizationRequests?: PushedAuthorizationRequests | undefined;
  /** Wire name: `scope`; has to contain `openid`. @default 'openid profile email' */
  scope?: string | undefined;
  /** The API that the access token is for, at OPs that take Auth0's `audience`. */
  audience?: string | undefined;
  /**
   * The APIs that this login may get access tokens for, as absolute URIs; the first is the one that
   * the login's own token is for. Wire name: `resource` (RFC 8707).
   */
  resource?: string | readonly string[] | undefined;
  /**
   * Further authorization parameters by their wire names, or a function of the request that makes
   * them; those this library owns are refused.
   */
  authorizationParams?: AuthorizationParams | undefined;
  /**
   * Parameters that the query of the login route may set, by their wire names: `login_hint`,
   * `ui_locales`, … Of `acr_values`, `max_age` and `organization` a visitor can only narrow what the
   * options say. @default none
   */
  loginParams?: readonly string[] | undefined;
  /** Sends each authorization request signed as well, in `request` (RFC 9101). @default not signed */
  requestObject?: RequestObjectOptions | undefined;
  /** Oldest acceptable authentication, in seconds; enforced. Wire name: `max_age`. */
  maxAge?: number | undefined;
  /** Space-separated; one of them has to come back as `acr`. Wire name: `acr_values`. */
  acrValues?: string | undefined;
  /** Claims that are asked for one by one, and enforced. Wire name: `claims`. */
  claims?: ClaimsOption | undefined;
  /**
   * What the user is asked to allow in more words than a scope has, or a function of the request that
   * says so; some of it has to be granted. Wire name: `authorization_details` (RFC 9396).
   */
  authorizationDetails?: AuthorizationDetails | undefined;
  /** Auth0's `organization`, an id (`org_…`) or a name; enforced on `org_id` or `org_name`. */
  organization?: string | undefined;
  /**
   * Organizations whose users may sign in. Every one that comes back is held against it, whether or
   * not it was asked for. @default all, but the one that was asked for has to come
   */
  allowedOrganizations?: AllowedOrganizations | undefined;
  /** For OPs with a logout of their own. @default the standard request */
  endSessionUrl?: EndSessionUrl | undefined;
  /**
   * The certificate that the client shows at the OP, at its `mtls_endpoint_aliases` if it has any, and at APIs that
   * `req.oidc.fetch` calls; or a function that gives the newest one. RFC 8705.
   */
  clientCertificate?: ClientCertificateOptions | (() => ClientCertificateOptions) | undefined;
  /**
   * Access tokens are bound to the certificate. Refused are an OP that does not say that it binds them, and JWTs that name
   * another certificate, or none. @default false
   */
  certificateBoundAccessTokens?: boolean | undefined;
  /**
   * Binds the tokens of each login to a key of its own (RFC 9449), so that nobody else can use them. Bearer tokens are
   * refused then. @default false
   */
  dpop?: boolean | DpopOptions | undefined;
  /** Wire name: `id_token_signed_response_alg`. @default the asymmetric algorithms the OP lists */
  idTokenSignedResponseAlg?: SignatureAlgorithm | undefined;
  /**
   * Of authorization responses that are JWTs. Wire name: `authorization_signed_response_alg`.
   * @default the asymmetric algorithms the OP lists
   */
  authorizationSignedResponseAlg?: SignatureAlgorithm | undefined;
  /**
   * Asks the UserInfo Endpoint at each login. Names of claims are kept with the login, `true` keeps
   * none; `verify` gets them all. A login whose user cannot be asked about is refused.
   *
   * @default false
   */
  loadUserinfo?: boolean | readonly string[] | undefined;
  /**
   * UserInfo has to be signed, by this algorithm. Wire name: `userinfo_signed_response_alg`.
   * @default plain or signed, by an asymmetric algorithm the OP lists
   */
  userinfoSignedResponseAlg?: SignatureAlgorithm | undefined;
  /**
   * Private key, or several, that the OP encrypts for: RSA, P-256, P-384, P-521 or X25519. Their public
   * halves are in `jwks()`. @default nothing is encrypted
   */
  clientEncryptionKey?: ClientEncryptionKeys | undefined;
  /**
   * What has to come encrypted; all else may, with a `clientEncryptionKey`.
   * @default ['idToken'] with a `clientEncryptionKey`
   */
  encryptedResponses?: readonly EncryptedResponse[] | undefined;
  /** Path of the login route, below `baseUrl`, where the router is mounted. @default '/login' */
  loginPath?: string | undefined;
  /**
   * Mounts the route at which another site, such as a portal of the OP, has a login begin here. It has
   * to be registered as `initiate_login_uri`. @default false
   */
  initiateLogin?: boolean | undefined;
  /** Path of that route. @default '/initiate-login' */
  initiateLoginPath?: string | undefined;
  /** Path of the callback; `baseUrl` and it make the `redirect_uri`. @default '/callback' */
  callbackPath?: string | undefined;
  /** Path of the logout route. @default '/logout' */
  logoutPath?: string | undefined;
  /** Path the OP returns to after logout: the `post_logout_redirect_uri`. @default '/logout/callback' */
  postLogoutPath?: string | undefined;
  /**
   * Mounts the route by which the OP ends sessions without a browser. It has to be registered there
   * as `backchannel_logout_uri`. @default false
   */
  backchannelLogout?: boolean | undefined;
  /** Path of that route. @default '/backchannel-logout' */
  backchannelLogoutPath?: string | undefined;
  /**
   * Mounts the route by which the OP ends sessions from a frame in its own page. It has to be
   * registered there as `frontchannel_logout_uri`, with
   * `frontchannel_logout_session_required`. @default false
   */
  frontchannelLogout?: boolean | undefined;
  /** Path of that route. @default '/frontchannel-logout' */
  frontchannelLogoutPath?: string | undefined;
  /**
   * Keeps an index of sessions by subject and by session at the OP, for `endSessions()`.
   * @default with `backchannelLogout` and `frontchannelLogout`
   */
  indexSessions?: boolean | undefined;
  /** Further parameters of the request to the OP's end-session endpoint, by their wire names. */
  endSessionParams?: EndSessionParams | undefined;
  /** A login ends after so many seconds in which its session was not used. @default with its session */
  idleLifetimeSeconds?: number | undefined;
  /** A login ends so many seconds after the user has signed in. @default never */
  absoluteLifetimeSeconds?: number | undefined;
  /**
   * A login ends with its refresh token, so many seconds after the OP has issued that one; for OPs whose
   * refresh tokens end, which none of them says. @default when the OP refuses it
   */
  refreshTokenLifetimeSeconds?: number | undefined;
  /** A login ends with its ID Token, unless a refresh has brought a new one. @default false */
  endWithIdToken?: boolean | undefined;
  /** Name of the login in the session; two flows on one application need two. @default 'oidc' */
  sessionKey?: string | undefined;
  /** Renew an access token this long before it expires; at most half its life. @default 60 */
  refreshMarginSeconds?: number | undefined;
  /** Clock difference tolerated in `exp`, `iat`, `nbf` and `auth_time`. @default 30 */
  clockToleranceSeconds?: number | undefined;
  /** Longest wait for one answer of the OP, body included; at most 60. @default 10 */
  httpTimeoutSeconds?: number | undefined;
  /** How long a login may take. @default 600 */
  transactionTtlSeconds?: number | undefined;
  /** Logins that one browser may have under way, in 2 KB in all; the oldest give way. @default 4 */
  maxTransactions?: number | undefined;
  /** Name and scope of the cookies of logins and logouts under way. */
  transactionCookie?: TransactionCookieOptions | undefined;
  /**
   * What of the visitor's session goes over into the new one at login. Never asked about a session in
   * which somebody else was signed in. @default everything
   */
  carryOver?: CarryOver | undefined;
  /** Largest body accepted at the callback. @default 65536 */
  callbackBodyLimitBytes?: number | undefined;
  /**
   * Origins besides our own whose pages may send requests that change something (POST, PUT, …) to
   * guarded routes. @default none
   */
  trustedOrigins?: readonly string[] | undefined;
  /**
   * Keeps processes that share a session store from refreshing the same login at once; see
   * {@link redisLock}. @default a lock within the process
   */
  lock?: Lock | undefined;
  /** Makes the application's user of a login, or refuses it. */
  verify?: Verify<Claims> | undefined;
  /** Answers failures of the router and of `requireAuth`. @default a page, or problem details */
  onError?: OnError | undefined;
  /** Decides what a failed refresh does to a login. @default 'end' for a dead grant, else 'keep' */
  onRefreshFailure?: OnRefreshFailure | undefined;
  /** Makes the calls to the OP and to APIs. @default undici's `request` to the OP, the global `fetch` to APIs */
  fetch?: typeof globalThis.fetch | undefined;
  /** Epoch milliseconds; for tests. @default `Date.now` */
  now?: (() => number) | undefined;
  /**
   * Allows `http:` beyond loopback, and to issuers of tenants there. Never in production.
   *
   * @deprecated Everything that this library protects can be read and changed on the way.
   */
  dangerouslyAllowInsecureRequests?: boolean | undefined;
}

/** What the rest of the library sees: complete, checked, frozen. */
export interface ResolvedOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Names the tenant of a flow that was chosen for a request; a digest. */
  readonly tenant: string | undefined;
  readonly clientSecret: string | undefined;
  /** Without trailing slash. */
  readonly baseUrl: string;
  readonly origin: string;
  /** Path of `baseUrl`: empty or `/path`. */
  readonly basePath: string;
  readonly isSecure: boolean;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  readonly secrets: readonly string[];
  readonly profile: Profile | undefined;
  /** What the OP may sign with, whatever it offers. */
  readonly signatureAlgorithms: readonly SignatureAlgorithm[];
  readonly responseType: ResponseType;
  /** `undefined`: by discovery. */
  readonly responseMode: ResponseMode | undefined;
  readonly authorizationRequestMethod: AuthorizationRequestMethod;
  readonly pushedAuthorizationRequests: PushedAuthorizationRequests;
  readonly scope: string;
  readonly audience: string | undefined;
  readonly resources: readonly string[];
  readonly authorizationParams: (req: Request) => Promise<Readonly<Record<string, string>>>;
  readonly loginParams: readonly string[];
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[];
  readonly authorizationDetails: (req: Request) => Promise<readonly AuthorizationDetail[]>;
  readonly claims: { readonly idToken: RequestedClaims; readonly userinfo: RequestedClaims };
  readonly organization: string | undefined;
  readonly allowedOrganizations: Exclude<AllowedOrganizations, readonly string[]> | undefined;
  readonly endSessionUrl: EndSessionUrl | undefined;
  readonly clientKeys: readonly SigningKeyPair[];
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod | undefined;
  readonly tokenEndpointAuthSigningAlg: SecretAlgorithm;
  readonly clientCertificate: (() => ClientCertificate) | undefined;
  readonly certificateBoundAccessTokens: boolean;
  readonly dpop: DpopAlgorithm | undefined;
  readonly requestObject:
    | {
        readonly key: SigningKey;
        readonly typ: string;
        readonly lifetimeSeconds: number;
        readonly claims: (req: Request) => Promise<Readonly<Record<string, unknown>>>;
      }
    | undefined;
  readonly idTokenSignedResponseAlg: SignatureAlgorithm | undefined;
  readonly authorizationSignedResponseAlg: SignatureAlgorithm | undefined;
  /** Names of the claims that are kept; `undefined`: UserInfo is not asked for at login. */
  readonly loadUserinfo: readonly string[] | undefined;
  readonly userinfoSignedResponseAlg: SignatureAlgorithm | undefined;
  readonly encryptionKeys: readonly EncryptionKeyPair[];
  readonly encryptedResponses: readonly EncryptedResponse[];
  readonly loginPath: string;
  readonly initiateLogin: boolean;
  readonly initiateLoginPath: string;
  readonly callbackPath: string;
  readonly logoutPath: string;
  readonly postLogoutPath: string;
  readonly backchannelLogout: boolean;
  readonly backchannelLogoutPath: string;
  readonly frontchannelLogout: boolean;
  readonly frontchannelLogoutPath: string;
  readonly indexSessions: boolean;
  readonly endSessionParams: (claims: IdTokenClaims) => Readonly<Record<string, string>>;
  readonly idleLifetimeSeconds: number | undefined;
  readonly absoluteLifetimeSeconds: number | undefined;
  readonly refreshTokenLifetimeSeconds: number | undefined;
  readonly endWithIdToken: boolean;
  readonly sessionKey: string;
  readonly refreshMarginSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly httpTimeoutSeconds: number;
  readonly transactionTtlSeconds: number;
  readonly maxTransactions: number;
  readonly transactionCookie: {
    readonly name: string;
    readonly path: string;
    readonly domain: string | undefined;
  };
  readonly carryOver: Exclude<CarryOver, readonly string[]>;
  readonly callbackBodyLimitBytes: number;
  readonly trustedOrigins: readonly string[];
  readonly lock: Lock | undefined;
  readonly verify: Verify | undefined;
  readonly onError: OnError | undefined;
  readonly onRefreshFailure: OnRefreshFailure | undefined;
  /** For calls to APIs. */
  readonly fetch: typeof globalThis.fetch;
  /** For calls to the OP, where the application gave one. */
  readonly customFetch: typeof globalThis.fetch | undefined;
  readonly now: () => number;
  readonly allowInsecureRequests: boolean;
}

/** Defaults that are plain values; a test holds the README's table against them. */
export const defaultOptions = {
  responseType: 'code id_token',
  authorizationRequestMethod: 'get',
  pushedAuthorizationRequests: 'required',
  scope: 'openid profile email',
  loginPath: '/login',
  initiateLoginPath: '/initiate-login',
  callbackPath: '/callback',
  logoutPath: '/logout',
  postLogoutPath: '/logout/callback',
  backchannelLogoutPath: '/backchannel-logout',
  frontchannelLogoutPath: '/frontchannel-logout',
  sessionKey: 'oidc',
  refreshMarginSeconds: 60,
  clockToleranceSeconds: 30,
  httpTimeoutSeconds: 10,
  transactionTtlSeconds: 600,
  maxTransactions: 4,
  callbackBodyLimitBytes: 65_536,
} as const;

/** Signature algorithms an ID Token may have: asymmetric ones whose hash c_hash and at_hash can use. */
export const signatureAlgorithms: typeof asymmetricAlgorithms = asymmetricAlgorithms;

/** Wire name: `id_token_signed_response_alg`. */
export type SignatureAlgorithm = AsymmetricAlgorithm;
