import { isDeepStrictEqual } from 'node:util';
import { ValidationError } from '../errors.ts';
import type { ClaimRequest, RequestedClaims, ResolvedOptions } from '../options.ts';

type Claims = Readonly<Record<string, unknown>>;

/**
 * The parameter `claims`; `undefined` where nothing is asked for.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter Core 5.5}
 */
export function claimsParameter(
  { idToken, userinfo }: ResolvedOptions['claims'],
  acrValues: readonly string[],
): string | undefined {
  const places = [
    ['id_token', besideAcrValues(idToken, acrValues)],
    ['userinfo', userinfo],
  ] as const;
  const asked = places.filter(([, claims]) => Object.keys(claims).length > 0);
  return asked.length === 0 ? undefined : JSON.stringify(Object.fromEntries(asked));
}

/**
 * What is asked of the ID Token of one login. Where a login asks for `acr_values`, these take the
 * place of a wish for `acr`: Core 5.5.1.1 leaves open what both together mean.
 */
export function besideAcrValues(
  requested: RequestedClaims,
  acrValues: readonly string[],
): RequestedClaims {
  if (acrValues.length === 0) return requested;
  const { acr: _acr, ...others } = requested;
  return others;
}

/**
 * Holds claims against those that were asked for. Core 5.5.1 leaves it to the client to do without
 * an essential claim, or with another value; this one does not.
 *
 * @throws {@link ValidationError} `ERR_OIDC_CLAIM_MISSING`, `ERR_OIDC_CLAIM_VALUE`
 */
export function checkRequestedClaims(
  claims: Claims,
  requested: RequestedClaims,
  place: 'ID Token' | 'UserInfo',
): void {
  for (const [name, wish] of Object.entries(requested)) {
    if (wish === null) continue;
    const isThere = Object.hasOwn(claims, name) && claims[name] !== null;
    if (isThere) checkValue(name, claims[name], wish, place);
    else if (wish.essential) {
      throw new ValidationError(
        'ERR_OIDC_CLAIM_MISSING',
        'Core 5.5.1',
        `the claim ${name} was asked for as essential, and the ${place} has none`,
      );
    }
  }
}

function checkValue(
  name: string,
  found: unknown,
  { value, values }: ClaimRequest,
  place: 'ID Token' | 'UserInfo',
): void {
  const wanted = values ?? (value === undefined ? undefined : [value]);
  if (wanted === undefined || wanted.some((one) => isDeepStrictEqual(one, found))) return;
  throw new ValidationError(
    'ERR_OIDC_CLAIM_VALUE',
    'Core 5.5.1',
    `the claim ${name} of the ${place} has none of the values that were asked for`,
  );
}

/** Names of the claims without which no login goes on. */
export function essentialClaims(requested: RequestedClaims): string[] {
  return Object.entries(requested).flatMap(([name, wish]) => (wish?.essential ? [name] : []));
}
