import type { ResolvedOptions } from '../options.ts';
import type { IdTokenClaims } from './id-token-claims.ts';
import { isMetBy, type LoginRequest } from './login-request.ts';

/** What an API asks of the user's authentication. Wire names: `acr_values`, `max_age`. */
export interface AuthenticationDemands {
  readonly acrValues: readonly string[];
  /** Seconds. */
  readonly maxAge: number | undefined;
}

/** What is looked at of an API's answer. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
}

/** Longest list of methods that is followed. */
const maxAcrCharacters = 512;

/**
 * What an API demands that refuses a token because the user's authentication is too weak or too
 * old; `undefined` for every other answer.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 RFC 9470 section 3}
 */
export function readStepUpChallenge(response: ApiAnswer): AuthenticationDemands | undefined {
  if (response.status !== 401) return undefined;
  const challenge = response.headers.get('www-authenticate') ?? '';
  if (challengeParameter(challenge, 'error') !== 'insufficient_user_authentication') {
    return undefined;
  }
  const acrValues = challengeParameter(challenge, 'acr_values') ?? '';
  // It travels in a cookie.
  if (acrValues.length > maxAcrCharacters) return undefined;
  const maxAge = challengeParameter(challenge, 'max_age') ?? '';
  return {
    acrValues: acrValues.split(' ').filter(Boolean),
    maxAge: /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
  };
}

/** Whether an API refuses the token itself: expired, revoked or malformed; another one may do. RFC 6750 3.1. */
export function isInvalidToken(response: ApiAnswer): boolean {
  if (response.status !== 401) return false;
  const challenge = response.headers.get('www-authenticate') ?? '';
  return challengeParameter(challenge, 'error') === 'invalid_token';
}

/** Whether an API wants its nonce in the DPoP proof; it is in the same answer. RFC 9449 9. */
export function isNonceDemanded(response: ApiAnswer): boolean {
  if (response.status !== 401) return false;
  const challenge = response.headers.get('www-authenticate') ?? '';
  return challengeParameter(challenge, 'error') === 'use_dpop_nonce';
}

/**
 * What of an API's demands can be asked for: where the option `acrValues` names methods, only these.
 * `undefined` where the two have none in common, as no login would satisfy both.
 */
export function narrowDemands(
  { acrValues, maxAge }: AuthenticationDemands,
  options: Pick<ResolvedOptions, 'acrValues'>,
): AuthenticationDemands | undefined {
  if (acrValues.length === 0 || options.acrValues.length === 0) return { acrValues, maxAge };
  const common = acrValues.filter((method) => options.acrValues.includes(method));
  return common.length === 0 ? undefined : { acrValues: common, maxAge };
}

/** RFC 9110 11.2: a token or a quoted string, within which `name=` is no parameter. */
function challengeParameter(challenge: string, name: string): string | undefined {
  const pattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;
  for (const [, found = '', quoted, token] of challenge.slice(0, 4096).matchAll(pattern)) {
    if (found.toLowerCase() !== name) continue;
    return quoted?.replace(/\\(.)/g, '$1') ?? token;
  }
  return undefined;
}

/** A login that is what an API demands; a demand that names nothing asks for a new authentication. */
export function loginForDemands({ acrValues, maxAge }: AuthenticationDemands): LoginRequest {
  const age = maxAge ?? (acrValues.length > 0 ? undefined : 0);
  return { acrValues, maxAge: age, organization: undefined, parameters: {} };
}

/**
 * Whether the login already is what is demanded. Another login would then change nothing, and a
 * browser that is sent to log in again and again ends nowhere.
 */
export function satisfiesDemands(
  claims: IdTokenClaims,
  demands: AuthenticationDemands,
  options: Pick<ResolvedOptions, 'now' | 'clockToleranceSeconds'>,
): boolean {
  return isMetBy(claims, loginForDemands(demands), options);
}
