import { AuthorizationResponseError, ValidationError } from '../errors.ts';
import type { ResolvedOptions, ResponseTransport, ResponseType } from '../options.ts';
import { checkNonce, verifyIdToken } from './id-token.ts';
import type { DiscoveredProvider, Provider } from './provider.ts';
import { isJwtMode, openResponseJwt } from './response-jwt.ts';
import type { ResponseParameters } from './response-parameters.ts';
import { checkTokenHash } from './token-hash.ts';
import { refuseOtherTenant, type Transaction } from './transaction.ts';

/**
 * What each response type brings beside the code. A token that is missing is refused, and so is
 * one that was not asked for.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#HybridAuthResponse Core 3.3.2.5}
 */
const rules: Readonly<Record<ResponseType, { idToken: boolean; accessToken: boolean }>> = {
  code: { idToken: false, accessToken: false },
  'code id_token': { idToken: true, accessToken: false },
  'code token': { idToken: false, accessToken: true },
  'code id_token token': { idToken: true, accessToken: true },
};

/** The way that an answer came, and whether it was a JWT. */
export type ReceivedMode = ResponseTransport | `${ResponseTransport}.jwt`;

/**
 * An authorization response after the checks that need no transaction. It holds no token: the
 * front-channel ID Token is down to the claims still to be compared, the access token is gone.
 */
export interface ReceivedResponse {
  readonly mode: ReceivedMode;
  readonly state: string | undefined;
  readonly iss: string | undefined;
  readonly code: string | undefined;
  readonly error: string | undefined;
  readonly error_description: string | undefined;
  readonly error_uri: string | undefined;
  /** Whether an access token came along; its value is not kept. */
  readonly hadAccessToken: boolean;
  readonly idToken: { readonly sub: string; readonly nonce: string | undefined } | undefined;
}

/** An authorization response that belongs to a transaction and passed every check. */
export interface AcceptedResponse {
  readonly code: string;
  /** `sub` of the front-channel ID Token, where the response type has one. */
  readonly expectedSub: string | undefined;
}

/**
 * First step, without the transaction: verifies the ID Token in full, binds code, access token and
 * state to it, and drops the tokens.
 *
 * @throws {@link ValidationError} one code for each check
 * @throws {@link AuthorizationResponseError} for an error that names no login
 * @throws {@link TransactionError} `ERR_OIDC_TENANT_MISMATCH`
 */
export async function receiveAuthorizationResponse(
  received: ResponseParameters,
  transport: ResponseTransport,
  provider: Provider,
  options: ResolvedOptions,
): Promise<ReceivedResponse> {
  if (isEmpty(received)) {
    throw new ValidationError(
      'ERR_OIDC_RESPONSE_EMPTY',
      'Core 3.3.2.5',
      'the authorization response is empty; did the OP answer in a fragment?',
    );
  }
  checkForm(received, options);
  if (received.response === undefined) {
    return receiveParameters(received, transport, provider, options);
  }
  // Whatever stands beside it in clear is not looked at.
  const inside = await openResponseJwt(received.response, provider, options);
  return receiveParameters(inside, `${transport}.jwt`, provider, options);
}

/** Whether the answer is a JWT has to be as every login of this flow asks for it, errors included. */
function checkForm(received: ResponseParameters, options: ResolvedOptions): void {
  const isAsked = isJwtMode(options.responseMode);
  if (isAsked === (received.response !== undefined)) return;
  throw isAsked ? plainInPlaceOfJwt() : jwtInPlaceOfPlain();
}

async function receiveParameters(
  parameters: ResponseParameters,
  mode: ReceivedMode,
  provider: Provider,
  options: ResolvedOptions,
): Promise<ReceivedResponse> {
  const { code, state, iss, error, id_token, access_token } = parameters;
  if (state === undefined) {
    // An error that belongs to no login is told for what it is, and ends none. Anybody can send it.
    if (error !== undefined) throw new AuthorizationResponseError({ ...parameters, error }, 400);
    throw new ValidationError(
      'ERR_OIDC_STATE_MISSING',
      'RFC 6749 4.1.2',
      'the authorization response has no state',
    );
  }
  refuseOtherTenant(state, options);
  const idToken =
    id_token === undefined
      ? undefined
      : await verifyFrontChannelIdToken(id_token, { ...parameters, state }, provider, options);
  if (access_token !== undefined && parameters.token_type?.toLowerCase() !== 'bearer') {
    // RFC 6749 4.2.2 and Core 3.2.2.5: token_type is REQUIRED beside an access token: Bearer.
    throw new ValidationError(
      'ERR_OIDC_TOKEN_TYPE',
      'Core 3.2.2.5',
      'the authorization response must have the token_type Bearer beside the access token',
    );
  }
  return {
    mode,
    state,
    iss,
    code,
    error,
    error_description: parameters.error_description?.slice(0, 500),
    error_uri: parameters.error_uri?.slice(0, 500),
    hadAccessToken: access_token !== undefined,
    idToken,
  };
}

async function verifyFrontChannelIdToken(
  unverifiedIdToken: string,
  parameters: ResponseParameters & { readonly state: string },
  provider: Provider,
  options: ResolvedOptions,
): Promise<ReceivedResponse['idToken']> {
  const { claims, alg } = await verifyIdToken(
    unverifiedIdToken,
    await provider.discovered(),
    options,
  );
  const { code, access_token, state } = parameters;
  if (code !== undefined) {
    // Core 3.3.2.11: c_hash is REQUIRED beside a code.
    checkTokenHash({
      claim: 'c_hash',
      found: claims['c_hash'],
      value: code,
      alg,
      isRequired: true,
      section: 'Core 3.3.2.10',
    });
  }
  if (access_token !== undefined) {
    // Core 3.3.2.11: at_hash is REQUIRED beside an access token of the same response.
    checkTokenHash({
      claim: 'at_hash',
      found: claims['at_hash'],
      value: access_token,
      alg,
      isRequired: true,
      section: 'Core 3.3.2.9',
    });
  }
  // FAPI 1.0 Advanced 5.1.1: s_hash, where an OP sends it, binds the state; 5.2.3.1 (3): it has to be there.
  checkTokenHash({
    claim: 's_hash',
    found: claims['s_hash'],
    value: state,
    alg,
    isRequired: options.profile === 'fapi1-advanced',
    section: 'FAPI 1.0 Advanced 5.1.1',
  });
  return { sub: claims.sub, nonce: claims.nonce };
}

/**
 * Second step: holds the response against the transaction of the browser that brought it. The
 * transaction was found by the response's state.
 *
 * @throws {@link ValidationError} one code for each check
 * @throws {@link AuthorizationResponseError} when the OP answered with an error
 */
export function checkAuthorizationResponse(
  response: ReceivedResponse,
  transaction: Transaction,
  provider: DiscoveredProvider,
  options: Pick<ResolvedOptions, 'profile'>,
): AcceptedResponse {
  checkIssuerParameter(response, provider, options);
  const asked = askedMode(transaction);
  // The login may have begun when the option was another.
  const isJwt = isJwtMode(response.mode);
  if (isJwt !== isJwtMode(asked)) throw isJwt ? jwtInPlaceOfPlain() : plainInPlaceOfJwt();
  // OPs send errors by redirect even where form_post was asked for, so errors are taken from both.
  const { error } = response;
  if (error !== undefined) throw new AuthorizationResponseError({ ...response, error });
  if (response.mode !== asked) {
    throw new ValidationError(
      'ERR_OIDC_RESPONSE_MODE',
      'Multiple Response Types 2.1',
      `the OP answered by ${response.mode}, and ${asked} was asked for`,
    );
  }
  const code = checkRules(response, rules[transaction.responseType], transaction.responseType);
  if (response.idToken !== undefined) checkNonce(response.idToken, transaction.nonce);
  return { code, expectedSub: response.idToken?.sub };
}

/** JARM 2.3.4: `jwt` alone stands for the default of the response type. */
function askedMode({ responseMode, responseType }: Transaction): ReceivedMode {
  if (responseMode !== 'jwt') return responseMode;
  return responseType === 'code' ? 'query.jwt' : 'fragment.jwt';
}

function isEmpty(parameters: ResponseParameters): boolean {
  return Object.keys(parameters).length === 0;
}

function plainInPlaceOfJwt(): ValidationError {
  return new ValidationError(
    'ERR_OIDC_JARM_MISSING',
    'JARM 2.1',
    'a JWT was asked for, and the authorization response is plain; does the OP know the response mode?',
  );
}

function jwtInPlaceOfPlain(): ValidationError {
  return new ValidationError(
    'ERR_OIDC_JARM_UNEXPECTED',
    'JARM 2.1',
    'the authorization response is a JWT, and a plain one was asked for',
  );
}

/**
 * RFC 9207 2.4: the answer has to come from the OP that was asked, or two OPs can be mixed up. A
 * missing `iss` is tolerated where a front-channel ID Token names the issuer (Core 3.3.2.12 is as
 * strong), and on errors, which bring nothing in.
 */
function checkIssuerParameter(
  response: ReceivedResponse,
  provider: DiscoveredProvider,
  { profile }: Pick<ResolvedOptions, 'profile'>,
): void {
  if (response.iss !== undefined && response.iss !== provider.metadata.issuer) {
    throw new ValidationError(
      'ERR_OIDC_ISS_MISMATCH',
      'RFC 9207 2.4',
      'the parameter iss of the authorization response names another issuer',
    );
  }
  const { authorization_response_iss_parameter_supported: isAdvertised } = provider.metadata;
  // FAPI 2.0 5.3.3.2 (5): whatever the OP says of it.
  const isExpected = isAdvertised === true || profile === 'fapi2';
  if (response.iss === undefined && isExpected && !response.idToken && !response.error) {
    throw new ValidationError(
      'ERR_OIDC_ISS_MISSING',
      'RFC 9207 2.4',
      'the OP says that it sends the parameter iss, or the profile wants it, and this authorization response has none',
    );
  }
}

/** Nothing missing, nothing that was not asked for. @returns the code */
function checkRules(
  response: ReceivedResponse,
  wanted: { idToken: boolean; accessToken: boolean },
  responseType: ResponseType,
): string {
  const { code } = response;
  if (code === undefined) throw missing('CODE', 'code', responseType);
  const tokens = [
    ['ID_TOKEN', 'id_token', wanted.idToken, response.idToken !== undefined],
    ['ACCESS_TOKEN', 'access_token', wanted.accessToken, response.hadAccessToken],
  ] as const;
  for (const [name, parameter, isWanted, isThere] of tokens) {
    if (isWanted && !isThere) throw missing(name, parameter, responseType);
  }
  for (const [name, parameter, isWanted, isThere] of tokens) {
    if (isWanted || !isThere) continue;
    throw new ValidationError(
      `ERR_OIDC_${name}_UNEXPECTED`,
      'Core 3.3.2.5',
      `the authorization response has ${parameter}, which "${responseType}" did not ask for`,
    );
  }
  return code;
}

function missing(
  name: 'CODE' | 'ID_TOKEN' | 'ACCESS_TOKEN',
  parameter: string,
  responseType: ResponseType,
): ValidationError {
  return new ValidationError(
    `ERR_OIDC_${name}_MISSING`,
    'Core 3.3.2.5',
    `the authorization response to "${responseType}" must have ${parameter}; it has none`,
  );
}
