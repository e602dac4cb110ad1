import * as client from 'openid-client';
import {
  HybridFlowError,
  type ProviderEndpoint,
  ProviderError,
  type ProviderErrorCode,
} from '../errors.ts';
import { safeCause } from '../safe-cause.ts';
import { AnswerTooLargeError } from './bounded-answer.ts';
import { repeatsSecret } from './sent-secrets.ts';

/**
 * Turns what openid-client and fetch throw into this library's errors. The only place that knows
 * their codes: openid-client's own message is generic and the reason sits in `cause`.
 *
 * @param issuer where it is what may be wrong
 */
export function translateError(
  error: unknown,
  endpoint: ProviderEndpoint,
  issuer?: string,
): HybridFlowError {
  if (error instanceof HybridFlowError) return error;
  const place = placeOf(endpoint, issuer);
  const reasons = causes(error);
  const cause = causeOf(reasons);
  if (error instanceof client.ResponseBodyError) {
    return refusal(cause, place, error.response, error);
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return refusal(cause, place, error.response, challengeParameters(error));
  }
  if (reasons.some(isTimeout)) {
    return new ProviderError(
      'ERR_OIDC_PROVIDER_TIMEOUT',
      endpoint,
      `the OP did not finish its answer at ${place.name} in time (httpTimeoutSeconds)`,
      { cause },
    );
  }
  if (reasons.some((reason) => reason instanceof AnswerTooLargeError)) {
    return nonsense(cause, place, 'the answer is too large');
  }
  const response = reasons.find((reason) => reason instanceof Response);
  if (response) {
    return isTransient(response.status)
      ? unavailable(cause, place, response.status)
      : nonsense(cause, place, `HTTP status ${response.status}, or a body that is not JSON`);
  }
  if (reasons.some(isNetworkFailure)) {
    return new ProviderError(
      'ERR_OIDC_PROVIDER_UNREACHABLE',
      endpoint,
      `the OP could not be reached at ${place.name}; see "cause"`,
      { cause },
    );
  }
  return nonsense(cause, place, 'the answer does not follow the specification; see "cause"');
}

/** An endpoint, and how messages call it. */
interface Place {
  readonly endpoint: ProviderEndpoint;
  readonly name: string;
}

function placeOf(endpoint: ProviderEndpoint, issuer?: string): Place {
  return {
    endpoint,
    name: `the ${endpoint} endpoint${issuer === undefined ? '' : ` of "${issuer}"`}`,
  };
}

/** An OP that wants its nonce in a DPoP proof; it is in the same answer. RFC 9449 8. */
export function isNonceDemanded(error: unknown): boolean {
  if (error instanceof client.ResponseBodyError) return error.error === 'use_dpop_nonce';
  if (!(error instanceof client.WWWAuthenticateChallengeError)) return false;
  return challengeParameters(error).error === 'use_dpop_nonce';
}

function isTimeout(reason: unknown): boolean {
  const { name } = reason as { name?: unknown };
  return name === 'TimeoutError' || name === 'AbortError';
}

/** undici names every network failure "fetch failed", and "terminated" where a body breaks off. */
function isNetworkFailure(reason: unknown): boolean {
  return /fetch failed|terminated/.test((reason as Error).message);
}

/** The originals, without what hangs on them: that is the answer of the OP, tokens included. */
function causeOf(reasons: readonly unknown[]): Error | undefined {
  const errors = reasons.filter((reason) => reason instanceof Error);
  return errors.reduceRight<Error | undefined>((cause, reason) => {
    // JSON.parse quotes what it was given.
    const message = reason instanceof SyntaxError ? 'the text is not JSON' : reason.message;
    const { name, code } = reason as Error & { code?: unknown };
    return safeCause(Object.assign(new Error(message, { cause }), { name, code }));
  }, undefined);
}

/**
 * Tells an outage by the status of an answer, for callers that lose the status on their way.
 *
 * @throws {@link ProviderError} `ERR_OIDC_PROVIDER_UNAVAILABLE`
 */
export function refuseOutage(response: Response, endpoint: ProviderEndpoint): Response {
  if (isTransient(response.status))
    throw unavailable(undefined, placeOf(endpoint), response.status);
  return response;
}

/** The OP's own words; what they are, nobody has checked. */
interface OpWords {
  readonly error?: unknown;
  readonly error_description?: unknown;
}

/** An OP may repeat what it was sent, and its words are in events, and in what applications log. */
function publicWords(
  { error, error_description }: OpWords,
  response: Response,
): { error?: string; error_description?: string } {
  const texts = Object.entries({ error, error_description }).filter(
    (word): word is [string, string] => typeof word[1] === 'string',
  );
  return texts.some(([, text]) => repeatsSecret(text, response)) ? {} : Object.fromEntries(texts);
}

function refusal(cause: unknown, place: Place, response: Response, words: OpWords): ProviderError {
  const { status } = response;
  if (isTransient(status)) return unavailable(cause, place, status);
  const { endpoint } = place;
  const details = { cause, ...publicWords(words, response) };
  const refusedBy: Partial<Record<ProviderEndpoint, ProviderErrorCode>> = {
    userinfo: 'ERR_OIDC_USERINFO_REFUSED',
    pushed_authorization_request: 'ERR_OIDC_PAR_REFUSED',
  };
  if (isOfClient(endpoint, status, words)) {
    return new ProviderError(
      'ERR_OIDC_CLIENT_REFUSED',
      endpoint,
      'the OP refused this client: check clientId, clientSecret, tokenEndpointAuthMethod and the grants enabled at the OP',
      details,
    );
  }
  const code = refusedBy[endpoint];
  if (code !== undefined) return withError(code, endpoint, details);
  switch (words.error) {
    case 'invalid_grant':
      // RFC 6749 5.2: the code or refresh token is invalid, expired, revoked or was issued to another.
      return new ProviderError(
        'ERR_OIDC_GRANT_REFUSED',
        endpoint,
        'the OP refused the code or refresh token (invalid_grant): used, expired or revoked, or another redirect_uri or code_verifier',
        details,
      );
    case 'invalid_target':
    case 'invalid_scope':
      // RFC 8707 2, RFC 6749 5.2: the API or the scope asked for is not to be had by this grant.
      return new ProviderError(
        'ERR_OIDC_TARGET_REFUSED',
        endpoint,
        'the OP gives no access token for this resource, audience or scope: was it asked for at login, and is this client allowed to?',
        details,
      );
    default:
      return withError('ERR_OIDC_TOKEN_ENDPOINT_ERROR', endpoint, details);
  }
}

/** RFC 6749 5.2 has 401 for clients that fail to authenticate; Auth0 calls that access_denied. */
function isOfClient(endpoint: ProviderEndpoint, status: number, { error }: OpWords): boolean {
  if (error === 'invalid_client' || error === 'unauthorized_client') return true;
  return status === 401 && endpoint !== 'userinfo' && error !== 'invalid_grant';
}

function withError(
  code: ProviderErrorCode,
  endpoint: ProviderEndpoint,
  details: ConstructorParameters<typeof ProviderError>[3],
): ProviderError {
  const message = `the OP answered the ${endpoint} request with an error; see the field "error"`;
  return new ProviderError(code, endpoint, message, details);
}

function unavailable(cause: unknown, place: Place, status: number): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_UNAVAILABLE',
    place.endpoint,
    `the OP cannot serve ${place.name} at present (HTTP status ${status})`,
    { cause },
  );
}

function nonsense(cause: unknown, place: Place, found: string): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_RESPONSE',
    place.endpoint,
    `the OP's answer at ${place.name} cannot be used: ${found}`,
    { cause },
  );
}

/** A status that tells nothing of the grant: overload or an outage. */
function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function challengeParameters(error: client.WWWAuthenticateChallengeError): OpWords {
  return error.cause.find(({ parameters }) => parameters.error !== undefined)?.parameters ?? {};
}

function causes(error: unknown): unknown[] {
  const found: unknown[] = [];
  let current: unknown = error;
  while (current !== undefined && current !== null && found.length < 8) {
    found.push(current);
    const next: unknown = (current as { cause?: unknown }).cause;
    // oauth4webapi wraps some causes once more, in a plain object with the response beside them.
    current = isPlainBox(next) ? (next.response ?? next.body) : next;
  }
  return found;
}

function isPlainBox(value: unknown): value is { response?: unknown; body?: unknown } {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}
