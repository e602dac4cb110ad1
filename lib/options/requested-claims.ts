import { OptionsError } from '../errors.ts';
import type { HybridFlowOptions, RequestedClaims, ResolvedOptions } from '../options.ts';
import { invalid } from './option-values.ts';

const places = ['idToken', 'userinfo'] as const;
const wishes = ['essential', 'value', 'values'];

/**
 * Checks the claims that are asked for one by one.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_UNKNOWN`
 */
export function readClaims(options: HybridFlowOptions): ResolvedOptions['claims'] {
  const { claims: given = {} } = options;
  if (!isObject(given)) throw invalid('claims', 'an object', given);
  refuseOthers('claims', given, places);
  const claims = {
    idToken: readPlace('claims.idToken', given['idToken'] ?? {}),
    userinfo: readPlace('claims.userinfo', given['userinfo'] ?? {}),
  };
  const { acr } = claims.idToken;
  if (options.acrValues !== undefined && (acr?.value ?? acr?.values) !== undefined) {
    // Core 5.5.1.1: what an OP makes of both is unspecified.
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'claims.idToken.acr',
      '"claims.idToken.acr" and "acrValues" ask for the same in two ways: one is enough, both are enforced',
    );
  }
  return Object.freeze(claims);
}

function readPlace(path: string, given: unknown): RequestedClaims {
  if (!isObject(given)) throw invalid(path, 'an object of claims', given);
  const read = Object.entries(given).map(([name, wish]) => [
    name,
    readWish(`${path}.${name}`, wish),
  ]);
  return Object.freeze(Object.fromEntries(read));
}

function readWish(path: string, wish: unknown): RequestedClaims[string] {
  if (wish === null) return null;
  if (!isObject(wish)) throw invalid(path, 'null, or an object', wish);
  refuseOthers(path, wish, wishes);
  const { essential, value, values } = wish;
  if (essential !== undefined && typeof essential !== 'boolean') {
    throw invalid(`${path}.essential`, 'true or false', essential);
  }
  if (values !== undefined && (!Array.isArray(values) || values.length === 0)) {
    throw invalid(`${path}.values`, 'an array of one value or more', values);
  }
  if (value !== undefined && values !== undefined) {
    throw invalid(path, 'with "value" or "values", and not both', wish);
  }
  // As it goes over the wire: a copy that nobody changes, without members that are undefined.
  return Object.freeze(JSON.parse(JSON.stringify(wish)));
}

function refuseOthers(path: string, given: object, known: readonly string[]): void {
  const odd = Object.keys(given).find((name) => !known.includes(name));
  if (odd === undefined) return;
  throw new OptionsError(
    'ERR_OIDC_OPTION_UNKNOWN',
    `${path}.${odd}`,
    `"${path}.${odd}" is not an option; known are ${known.join(', ')}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
