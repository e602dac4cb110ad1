import { safeCause } from './safe-cause.ts';

/**
 * Every refusal of this library: one class for each kind of cause, one code for each check.
 *
 * `code` is stable and part of semver; `message` is for developers and never holds a token, a
 * code, a secret or text that the OP sent.
 */

/** A programmer's mistake, found at start-up or on the first request. */
export type OptionsErrorCode =
  | 'ERR_OIDC_OPTION_INVALID'
  | 'ERR_OIDC_OPTION_MISSING'
  | 'ERR_OIDC_OPTION_UNKNOWN'
  | 'ERR_OIDC_SESSION_MISSING'
  | 'ERR_OIDC_SESSION_COOKIE'
  | 'ERR_OIDC_SESSION_LOST';

/** The OP answered the authorization request with an error. */
export type AuthorizationResponseErrorCode = 'ERR_OIDC_ACCESS_DENIED' | 'ERR_OIDC_OP_ERROR';

/** A check of the authorization response, of an ID Token or of what was asked for. */
export type ValidationErrorCode =
  | 'ERR_OIDC_CALLBACK_MEDIA_TYPE'
  | 'ERR_OIDC_CALLBACK_BODY_TOO_LARGE'
  | 'ERR_OIDC_CALLBACK_BODY_UNREADABLE'
  | 'ERR_OIDC_PARAMETER_DUPLICATE'
  | 'ERR_OIDC_PARAMETER_MALFORMED'
  | 'ERR_OIDC_RESPONSE_EMPTY'
  | 'ERR_OIDC_RESPONSE_SEAL'
  | 'ERR_OIDC_RESPONSE_MODE'
  | 'ERR_OIDC_FRAGMENT_ORIGIN'
  | 'ERR_OIDC_STATE_MISSING'
  | 'ERR_OIDC_ISS_MISSING'
  | 'ERR_OIDC_ISS_MISMATCH'
  | 'ERR_OIDC_CODE_MISSING'
  | 'ERR_OIDC_ID_TOKEN_MISSING'
  | 'ERR_OIDC_ID_TOKEN_UNEXPECTED'
  | 'ERR_OIDC_ACCESS_TOKEN_MISSING'
  | 'ERR_OIDC_ACCESS_TOKEN_UNEXPECTED'
  | 'ERR_OIDC_TOKEN_TYPE'
  | 'ERR_OIDC_TOKEN_BINDING'
  | 'ERR_OIDC_ISSUED_TOKEN_TYPE'
  | 'ERR_OIDC_ID_TOKEN_MALFORMED'
  | 'ERR_OIDC_ID_TOKEN_ENCRYPTED'
  | 'ERR_OIDC_ID_TOKEN_UNENCRYPTED'
  | 'ERR_OIDC_JWE_ALG'
  | 'ERR_OIDC_JWE_DECRYPTION'
  | 'ERR_OIDC_ID_TOKEN_ALG'
  | 'ERR_OIDC_ID_TOKEN_KEY'
  | 'ERR_OIDC_ID_TOKEN_SIGNATURE'
  | 'ERR_OIDC_ID_TOKEN_ISS'
  | 'ERR_OIDC_ID_TOKEN_AUD'
  | 'ERR_OIDC_ID_TOKEN_AZP'
  | 'ERR_OIDC_ID_TOKEN_EXP'
  | 'ERR_OIDC_ID_TOKEN_IAT'
  | 'ERR_OIDC_ID_TOKEN_NBF'
  | 'ERR_OIDC_ID_TOKEN_SUB'
  | 'ERR_OIDC_ID_TOKEN_NONCE'
  | 'ERR_OIDC_C_HASH_MISSING'
  | 'ERR_OIDC_C_HASH_MISMATCH'
  | 'ERR_OIDC_AT_HASH_MISSING'
  | 'ERR_OIDC_AT_HASH_MISMATCH'
  | 'ERR_OIDC_S_HASH_MISSING'
  | 'ERR_OIDC_S_HASH_MISMATCH'
  | 'ERR_OIDC_ID_TOKENS_SUB'
  | 'ERR_OIDC_ID_TOKENS_AUD'
  | 'ERR_OIDC_ID_TOKENS_AUTH_TIME'
  | 'ERR_OIDC_AUTH_TIME_MISSING'
  | 'ERR_OIDC_MAX_AGE'
  | 'ERR_OIDC_ACR'
  | 'ERR_OIDC_ORGANIZATION'
  | 'ERR_OIDC_CLAIM_MISSING'
  | 'ERR_OIDC_CLAIM_VALUE'
  | 'ERR_OIDC_AUTHORIZATION_DETAILS'
  | 'ERR_OIDC_SCOPE'
  | 'ERR_OIDC_LOGIN_PARAMETER'
  | 'ERR_OIDC_INITIATION_ISS'
  | 'ERR_OIDC_INITIATION_TARGET'
  | 'ERR_OIDC_INITIATION_PARAMETER'
  | 'ERR_OIDC_LOGOUT_STATE'
  | ResponseJwtErrorCode
  | UserinfoErrorCode
  | LogoutTokenErrorCode
  | LogoutRequestErrorCode
  | 'ERR_OIDC_PROXIED_BODY';

/** A check of an authorization response that is a JWT (JARM). */
export type ResponseJwtErrorCode =
  | 'ERR_OIDC_JARM_MISSING'
  | 'ERR_OIDC_JARM_UNEXPECTED'
  | 'ERR_OIDC_JARM_ENCRYPTED'
  | 'ERR_OIDC_JARM_UNENCRYPTED'
  | 'ERR_OIDC_JARM_MALFORMED'
  | 'ERR_OIDC_JARM_ALG'
  | 'ERR_OIDC_JARM_KEY'
  | 'ERR_OIDC_JARM_SIGNATURE'
  | 'ERR_OIDC_JARM_ISS'
  | 'ERR_OIDC_JARM_AUD'
  | 'ERR_OIDC_JARM_EXP'
  | 'ERR_OIDC_JARM_NBF';

/** A check of an answer of the UserInfo Endpoint. */
export type UserinfoErrorCode =
  | 'ERR_OIDC_USERINFO_MALFORMED'
  | 'ERR_OIDC_USERINFO_UNSIGNED'
  | 'ERR_OIDC_USERINFO_ENCRYPTED'
  | 'ERR_OIDC_USERINFO_UNENCRYPTED'
  | 'ERR_OIDC_USERINFO_ALG'
  | 'ERR_OIDC_USERINFO_KEY'
  | 'ERR_OIDC_USERINFO_SIGNATURE'
  | 'ERR_OIDC_USERINFO_ISS'
  | 'ERR_OIDC_USERINFO_AUD'
  | 'ERR_OIDC_USERINFO_EXP'
  | 'ERR_OIDC_USERINFO_SUB';

/** A check of a Logout Token. */
export type LogoutTokenErrorCode =
  | 'ERR_OIDC_LOGOUT_TOKEN_MALFORMED'
  | 'ERR_OIDC_LOGOUT_TOKEN_ALG'
  | 'ERR_OIDC_LOGOUT_TOKEN_KEY'
  | 'ERR_OIDC_LOGOUT_TOKEN_SIGNATURE'
  | 'ERR_OIDC_LOGOUT_TOKEN_TYP'
  | 'ERR_OIDC_LOGOUT_TOKEN_ISS'
  | 'ERR_OIDC_LOGOUT_TOKEN_AUD'
  | 'ERR_OIDC_LOGOUT_TOKEN_IAT'
  | 'ERR_OIDC_LOGOUT_TOKEN_EXP'
  | 'ERR_OIDC_LOGOUT_TOKEN_EVENTS'
  | 'ERR_OIDC_LOGOUT_TOKEN_NONCE'
  | 'ERR_OIDC_LOGOUT_TOKEN_JTI'
  | 'ERR_OIDC_LOGOUT_TOKEN_SUBJECT';

/** A check of a request by which the OP ends sessions. */
export type LogoutRequestErrorCode =
  | 'ERR_OIDC_LOGOUT_TOKEN_MISSING'
  | 'ERR_OIDC_LOGOUT_TOKEN_REPLAYED'
  | 'ERR_OIDC_FRONTCHANNEL_ISS'
  | 'ERR_OIDC_FRONTCHANNEL_SID';

/** The OP could not be reached, took too long, or answered nonsense. */
export type ProviderErrorCode =
  | 'ERR_OIDC_PROVIDER_UNREACHABLE'
  | 'ERR_OIDC_PROVIDER_TIMEOUT'
  | 'ERR_OIDC_PROVIDER_UNAVAILABLE'
  | 'ERR_OIDC_PROVIDER_RESPONSE'
  | 'ERR_OIDC_DISCOVERY_ISSUER'
  | 'ERR_OIDC_METADATA'
  | 'ERR_OIDC_CLIENT_REFUSED'
  | 'ERR_OIDC_GRANT_REFUSED'
  | 'ERR_OIDC_TARGET_REFUSED'
  | 'ERR_OIDC_EXCHANGE_REFUSED'
  | 'ERR_OIDC_USERINFO_REFUSED'
  | 'ERR_OIDC_PAR_REFUSED'
  | 'ERR_OIDC_TOKEN_ENDPOINT_ERROR';

/** The login that this response would complete is not known, was used, or is too old. */
export type TransactionErrorCode =
  | 'ERR_OIDC_TRANSACTION_UNKNOWN'
  | 'ERR_OIDC_TRANSACTION_EXPIRED'
  | 'ERR_OIDC_TRANSACTION_FAILED'
  | 'ERR_OIDC_STATE_MISMATCH'
  | 'ERR_OIDC_TENANT_MISMATCH';

/** There is no tenant for a request, or what is known of it cannot be used. */
export type TenantErrorCode =
  | 'ERR_OIDC_TENANT_UNKNOWN'
  | 'ERR_OIDC_TENANT_UNAVAILABLE'
  | 'ERR_OIDC_TENANT_OPTIONS';

/** The request needs a login, or may not begin one. */
export type AuthenticationErrorCode =
  | 'ERR_OIDC_LOGIN_REQUIRED'
  | 'ERR_OIDC_LOGIN_ENDED'
  | 'ERR_OIDC_LOGIN_REFUSED'
  | 'ERR_OIDC_STEP_UP_REQUIRED'
  | 'ERR_OIDC_NO_REFRESH_TOKEN'
  | 'ERR_OIDC_NOT_A_NAVIGATION'
  | 'ERR_OIDC_CROSS_SITE_REQUEST'
  | 'ERR_OIDC_INSUFFICIENT_SCOPE'
  | 'ERR_OIDC_INSUFFICIENT_CLAIMS';

/** A request that `oidc.proxy()` does not send on, or an API that failed it. */
export type ProxyErrorCode =
  | 'ERR_OIDC_PROXY_PATH'
  | 'ERR_OIDC_PROXY_UNSUPPORTED'
  | 'ERR_OIDC_PROXY_BODY_READ'
  | 'ERR_OIDC_PROXY_FAILED'
  | 'ERR_OIDC_PROXY_TIMEOUT';

/** The session store failed, or the lock. */
export type SessionStoreErrorCode = 'ERR_OIDC_SESSION_STORE' | 'ERR_OIDC_LOCK';

/** Every code that this library throws. */
export type HybridFlowErrorCode =
  | OptionsErrorCode
  | AuthorizationResponseErrorCode
  | ValidationErrorCode
  | ProviderErrorCode
  | TransactionErrorCode
  | AuthenticationErrorCode
  | TenantErrorCode
  | ProxyErrorCode
  | SessionStoreErrorCode;

/** The base of every error of this library: `code` names the check, `status` the HTTP answer. */
export abstract class HybridFlowError extends Error {
  /** Names the check that failed; stable, part of semver. */
  abstract readonly code: HybridFlowErrorCode;
  /** HTTP status; Express's own error handler reads it. */
  abstract readonly status: number;

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** A wrong, missing or unknown option, or a wrong set-up around the library. */
export class OptionsError extends HybridFlowError {
  readonly code: OptionsErrorCode;
  readonly status = 500;
  /** Path of the option. */
  readonly option: string;

  constructor(code: OptionsErrorCode, option: string, message: string) {
    super(message);
    this.code = code;
    this.option = option;
  }
}

/**
 * A login succeeded twice in a row, and its session did not come back: the visitor would be sent to the
 * OP for ever.
 */
export class SessionLostError extends OptionsError {
  /** Name of the session cookie, where it is known. */
  readonly cookie: string | undefined;

  constructor(reason: string, cookie: string | undefined) {
    super(
      'ERR_OIDC_SESSION_LOST',
      'session',
      `the session of a login that has just succeeded did not come back, for the second time. Its cookie is ${cookie ?? 'that of express-session'}: ${reason}`,
    );
    this.cookie = cookie;
  }
}

/** A map, and no object: the code is the OP's word, or anybody's, and may be `constructor`. */
const statusOfOpError: ReadonlyMap<string, number> = new Map([
  ['access_denied', 403],
  ['server_error', 502],
  ['temporarily_unavailable', 503],
]);

/**
 * The OP answered with an error.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 RFC 6749 section 4.1.2.1}
 */
export class AuthorizationResponseError extends HybridFlowError {
  readonly code: AuthorizationResponseErrorCode;
  readonly status: number;
  /** The OP's error code, verbatim. */
  readonly error: string;
  /** The OP's text, verbatim and untrusted: escape it before you show it. */
  readonly error_description: string | undefined;
  /** The OP's link, verbatim and untrusted. */
  readonly error_uri: string | undefined;

  constructor(
    response: {
      error: string;
      error_description?: string | undefined;
      error_uri?: string | undefined;
    },
    status?: number,
  ) {
    super('the OP answered the authorization request with an error; see the field "error"');
    this.code = response.error === 'access_denied' ? 'ERR_OIDC_ACCESS_DENIED' : 'ERR_OIDC_OP_ERROR';
    this.status = status ?? statusOfOpError.get(response.error) ?? 403;
    this.error = response.error;
    this.error_description = response.error_description;
    this.error_uri = response.error_uri;
  }
}

const statusOfValidation: Readonly<Partial<Record<ValidationErrorCode, number>>> = {
  ERR_OIDC_CALLBACK_BODY_TOO_LARGE: 413,
  ERR_OIDC_CALLBACK_MEDIA_TYPE: 415,
  ERR_OIDC_PROXIED_BODY: 411,
};

/** A check failed. `section` names the clause that asks for it. */
export class ValidationError extends HybridFlowError {
  readonly code: ValidationErrorCode;
  readonly status: number;
  /** The clause behind the check, e.g. `Core 3.3.2.11`. */
  readonly section: string;

  constructor(code: ValidationErrorCode, section: string, message: string, cause?: unknown) {
    super(message, cause);
    this.code = code;
    this.section = section;
    this.status = statusOfValidation[code] ?? 400;
  }
}

const statusOfProvider: Readonly<Record<ProviderErrorCode, number>> = {
  ERR_OIDC_PROVIDER_UNREACHABLE: 503,
  ERR_OIDC_PROVIDER_TIMEOUT: 503,
  ERR_OIDC_PROVIDER_UNAVAILABLE: 503,
  ERR_OIDC_PROVIDER_RESPONSE: 502,
  ERR_OIDC_DISCOVERY_ISSUER: 502,
  ERR_OIDC_METADATA: 502,
  ERR_OIDC_CLIENT_REFUSED: 502,
  ERR_OIDC_GRANT_REFUSED: 400,
  ERR_OIDC_TARGET_REFUSED: 502,
  ERR_OIDC_EXCHANGE_REFUSED: 502,
  ERR_OIDC_USERINFO_REFUSED: 502,
  ERR_OIDC_PAR_REFUSED: 502,
  ERR_OIDC_TOKEN_ENDPOINT_ERROR: 502,
};

/** What the library was asking the OP for. */
export type ProviderEndpoint =
  | 'discovery'
  | 'jwks'
  | 'token'
  | 'userinfo'
  | 'pushed_authorization_request';

/** The OP failed us: unreachable, slow, refusing, or not speaking the protocol. */
export class ProviderError extends HybridFlowError {
  readonly code: ProviderErrorCode;
  readonly status: number;
  readonly endpoint: ProviderEndpoint;
  /** The OP's error code where it sent one, verbatim and untrusted. */
  readonly error: string | undefined;
  /** The OP's text where it sent one, verbatim and untrusted: escape it before you show it. */
  readonly error_description: string | undefined;

  constructor(
    code: ProviderErrorCode,
    endpoint: ProviderEndpoint,
    message: string,
    details: {
      cause?: unknown;
      error?: string | undefined;
      error_description?: string | undefined;
    } = {},
  ) {
    super(message, details.cause);
    this.code = code;
    this.status = statusOfProvider[code];
    this.endpoint = endpoint;
    this.error = details.error;
    this.error_description = details.error_description;
  }
}

/** The login is not known in this browser, was used, or took too long: try again. */
export class TransactionError extends HybridFlowError {
  readonly code: TransactionErrorCode;
  readonly status = 400;
  /** Name of the cookie that is missing, where that is the reason. */
  readonly cookie: string | undefined;

  constructor(code: TransactionErrorCode, message: string, cookie?: string) {
    super(message);
    this.code = code;
    this.cookie = cookie;
  }
}

const statusOfAuthentication: Readonly<Record<AuthenticationErrorCode, number>> = {
  ERR_OIDC_LOGIN_REQUIRED: 401,
  ERR_OIDC_LOGIN_ENDED: 401,
  ERR_OIDC_LOGIN_REFUSED: 403,
  ERR_OIDC_STEP_UP_REQUIRED: 401,
  ERR_OIDC_NO_REFRESH_TOKEN: 403,
  ERR_OIDC_NOT_A_NAVIGATION: 403,
  ERR_OIDC_CROSS_SITE_REQUEST: 403,
  ERR_OIDC_INSUFFICIENT_SCOPE: 403,
  ERR_OIDC_INSUFFICIENT_CLAIMS: 403,
};

/** The request needs a login, or the application refused this one. */
export class AuthenticationError extends HybridFlowError {
  readonly code: AuthenticationErrorCode;
  readonly status: number;

  constructor(code: AuthenticationErrorCode, message: string, cause?: unknown) {
    super(message, cause);
    this.code = code;
    this.status = statusOfAuthentication[code];
  }
}

/** The application refused a login with a reason. */
export class LoginRefusedError extends AuthenticationError {
  /** The application's words for the visitor: escape them before you show them. */
  readonly reason: string;

  constructor(reason: string) {
    super(
      'ERR_OIDC_LOGIN_REFUSED',
      'the function "verify" refused this login; see the field "reason"',
    );
    this.reason = reason;
  }
}

/**
 * An API wants the user to sign in anew: by another method, or because the last time is too long ago.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 RFC 9470 section 3}
 */
export class StepUpError extends AuthenticationError {
  /** Methods that the API accepts; empty where it does not say. Wire name: `acr_values`. */
  readonly acrValues: readonly string[];
  /** Seconds that the sign-in may be old. Wire name: `max_age`. */
  readonly maxAge: number | undefined;

  constructor(demands: { acrValues: readonly string[]; maxAge: number | undefined }) {
    super(
      'ERR_OIDC_STEP_UP_REQUIRED',
      'an API wants the user to sign in anew (insufficient_user_authentication); errorHandler() of the flow sees to it',
    );
    this.acrValues = demands.acrValues;
    this.maxAge = demands.maxAge;
  }
}

const statusOfTenant: Readonly<Record<TenantErrorCode, number>> = {
  ERR_OIDC_TENANT_UNKNOWN: 404,
  ERR_OIDC_TENANT_UNAVAILABLE: 503,
  ERR_OIDC_TENANT_OPTIONS: 503,
};

/** There is no tenant for this request, or `resolveClient` failed. */
export class TenantError extends HybridFlowError {
  readonly code: TenantErrorCode;
  readonly status: number;

  constructor(code: TenantErrorCode, message: string, cause?: unknown) {
    super(message, safeCause(cause));
    this.code = code;
    this.status = statusOfTenant[code];
  }
}

const statusOfProxy: Readonly<Record<ProxyErrorCode, number>> = {
  ERR_OIDC_PROXY_PATH: 400,
  ERR_OIDC_PROXY_UNSUPPORTED: 501,
  ERR_OIDC_PROXY_BODY_READ: 500,
  ERR_OIDC_PROXY_FAILED: 502,
  ERR_OIDC_PROXY_TIMEOUT: 504,
};

/** `oidc.proxy()`, or a guard with `proxied`, does not let a request go on, or the API has failed it. */
export class ProxyError extends HybridFlowError {
  readonly code: ProxyErrorCode;
  readonly status: number;

  constructor(code: ProxyErrorCode, message: string, cause?: unknown) {
    super(message, safeCause(cause));
    this.code = code;
    this.status = statusOfProxy[code];
  }
}

/** The session store failed: nobody is signed in or out by guesswork. */
export class SessionStoreError extends HybridFlowError {
  readonly code: SessionStoreErrorCode;
  readonly status = 503;

  constructor(
    cause: unknown,
    code: SessionStoreErrorCode = 'ERR_OIDC_SESSION_STORE',
    message = 'the session store failed; see "cause"',
  ) {
    super(message, safeCause(cause));
    this.code = code;
  }
}

/** The lock failed: who has a token that is still valid goes on with it. */
export class LockError extends SessionStoreError {
  constructor(cause: unknown) {
    super(cause, 'ERR_OIDC_LOCK', 'the lock failed, or does not answer; see "cause"');
  }
}

/** Every class above, for a `switch` on `code`. */
export type AnyHybridFlowError =
  | OptionsError
  | AuthorizationResponseError
  | ValidationError
  | ProviderError
  | TransactionError
  | AuthenticationError
  | TenantError
  | ProxyError
  | SessionStoreError;
