import * as client from 'openid-client';
import { HybridFlowError, type ProviderEndpoint, ProviderError } from '../errors.ts';
import { AnswerTooLargeError } from './bounded-fetch.ts';

/**
 * Turns what openid-client and fetch throw into this library's errors. The only place that knows
 * their codes: openid-client's own message is generic and the reason sits in `cause`.
 */
export function translateError(error: unknown, endpoint: ProviderEndpoint): HybridFlowError {
  if (error instanceof HybridFlowError) return error;
  if (error instanceof client.ResponseBodyError) {
    return refusal(error, endpoint, error.status, error.error);
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return refusal(error, endpoint, error.status, challengeError(error));
  }
  const reasons = causes(error);
  if (reasons.some((reason) => ['TimeoutError', 'AbortError'].includes(nameOf(reason)))) {
    return new ProviderError(
      'ERR_OIDC_PROVIDER_TIMEOUT',
      endpoint,
      `the OP did not finish its answer at the ${endpoint} endpoint in time (httpTimeoutSeconds)`,
      { cause: error },
    );
  }
  if (reasons.some((reason) => reason instanceof AnswerTooLargeError)) {
    return nonsense(error, endpoint, 'the answer is too large');
  }
  const response = reasons.find((reason) => reason instanceof Response);
  if (response) {
    return isTransient(response.status)
      ? unavailable(error, endpoint, response.status)
      : nonsense(error, endpoint, `HTTP status ${response.status}, or a body that is not JSON`);
  }
  // undici names every network failure "fetch failed".
  if (
    reasons.some(
      (reason) => reason instanceof TypeError && /fetch failed|terminated/.test(reason.message),
    )
  ) {
    return new ProviderError(
      'ERR_OIDC_PROVIDER_UNREACHABLE',
      endpoint,
      `the OP could not be reached at the ${endpoint} endpoint; see "cause"`,
      { cause: error },
    );
  }
  return nonsense(error, endpoint, 'the answer does not follow the specification; see "cause"');
}

/**
 * Tells an outage by the status of an answer, for callers that lose the status on their way.
 *
 * @throws {@link ProviderError} `ERR_OIDC_PROVIDER_UNAVAILABLE`
 */
export function refuseOutage(response: Response, endpoint: ProviderEndpoint): Response {
  if (isTransient(response.status)) throw unavailable(undefined, endpoint, response.status);
  return response;
}

function refusal(
  cause: unknown,
  endpoint: ProviderEndpoint,
  status: number,
  error: string | undefined,
): ProviderError {
  if (isTransient(status)) return unavailable(cause, endpoint, status);
  const details = error === undefined ? { cause } : { cause, error };
  switch (error) {
    case 'invalid_grant':
      // RFC 6749 5.2: the code or refresh token is invalid, expired, revoked or was issued to another.
      return new ProviderError(
        'ERR_OIDC_GRANT_REFUSED',
        endpoint,
        'the OP refused the code or refresh token (invalid_grant): used, expired or revoked, or another redirect_uri or code_verifier',
        details,
      );
    case 'invalid_client':
    case 'unauthorized_client':
      return new ProviderError(
        'ERR_OIDC_CLIENT_REFUSED',
        endpoint,
        'the OP refused this client: check clientId, clientSecret, tokenEndpointAuthMethod and the grants enabled at the OP',
        details,
      );
    default:
      return new ProviderError(
        'ERR_OIDC_TOKEN_ENDPOINT_ERROR',
        endpoint,
        `the OP answered the ${endpoint} request with an error; see the field "error"`,
        details,
      );
  }
}

function unavailable(cause: unknown, endpoint: ProviderEndpoint, status: number): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_UNAVAILABLE',
    endpoint,
    `the OP cannot serve the ${endpoint} endpoint at present (HTTP status ${status})`,
    { cause },
  );
}

function nonsense(cause: unknown, endpoint: ProviderEndpoint, found: string): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_RESPONSE',
    endpoint,
    `the OP's answer at the ${endpoint} endpoint cannot be used: ${found}`,
    { cause },
  );
}

/** A status that tells nothing of the grant: overload or an outage. */
function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function challengeError(error: client.WWWAuthenticateChallengeError): string | undefined {
  return error.cause.find((challenge) => challenge.parameters.error !== undefined)?.parameters
    .error;
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

function nameOf(value: unknown): string {
  return value instanceof Error || typeof value === 'object'
    ? String((value as { name?: unknown } | null)?.name)
    : '';
}
