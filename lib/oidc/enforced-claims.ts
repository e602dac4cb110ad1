import { ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { type IdTokenClaims, isTime } from './id-token-claims.ts';
import { besideAcrValues, checkRequestedClaims } from './requested-claims.ts';
import type { Transaction } from './transaction.ts';

/**
 * What was asked for is what came: an OP that ignores a parameter does not weaken a login.
 *
 * @throws {@link ValidationError} `ERR_OIDC_AUTH_TIME_MISSING`, `ERR_OIDC_MAX_AGE`, `ERR_OIDC_ACR`,
 *   `ERR_OIDC_ORGANIZATION`, `ERR_OIDC_CLAIM_MISSING`, `ERR_OIDC_CLAIM_VALUE`
 */
export async function checkEnforcedClaims(
  claims: IdTokenClaims,
  transaction: Transaction,
  options: Pick<
    ResolvedOptions,
    'now' | 'clockToleranceSeconds' | 'allowedOrganizations' | 'claims'
  >,
): Promise<void> {
  checkMaxAge(claims, transaction.maxAge, options);
  checkAcr(claims, transaction.acrValues);
  const requested = besideAcrValues(options.claims.idToken, transaction.acrValues);
  checkRequestedClaims(claims, requested, 'ID Token');
  checkOrganization(claims, transaction.organization);
  await checkAllowedOrganizations(claims, transaction.organization, options);
}

/**
 * When the user authenticated, in epoch seconds; `undefined` where `auth_time` is absent, no time, or
 * later than `latest`. One in milliseconds would be fresh for ever.
 */
export function authTimeOf(claims: IdTokenClaims, latest: number): number | undefined {
  const { auth_time: authTime } = claims as { auth_time?: unknown };
  return isTime(authTime) && authTime <= latest ? authTime : undefined;
}

function checkMaxAge(
  claims: IdTokenClaims,
  maxAge: number | undefined,
  options: Pick<ResolvedOptions, 'now' | 'clockToleranceSeconds'>,
): void {
  if (maxAge === undefined) return;
  const authTime = authTimeOf(claims, options.now() / 1000 + options.clockToleranceSeconds);
  // Core 3.1.2.1: with max_age the ID Token MUST include auth_time.
  if (authTime === undefined) {
    throw new ValidationError(
      'ERR_OIDC_AUTH_TIME_MISSING',
      'Core 3.1.2.1',
      'max_age was sent, and the ID Token must have auth_time, in seconds, and not in the future',
    );
  }
  // Core 3.1.3.7 number 13.
  if (options.now() / 1000 - authTime > maxAge + options.clockToleranceSeconds) {
    throw new ValidationError(
      'ERR_OIDC_MAX_AGE',
      'Core 3.1.3.7 (13)',
      `the user's authentication is older than maxAge (${maxAge} seconds)`,
    );
  }
}

function checkAcr(claims: IdTokenClaims, acrValues: readonly string[]): void {
  // Stricter than Core 3.1.2.1, where acr_values is voluntary: who asks for a level means it.
  if (acrValues.length === 0 || acrValues.includes(String(claims.acr))) return;
  throw new ValidationError(
    'ERR_OIDC_ACR',
    'Core 3.1.3.7 (12)',
    'acr of the ID Token is none of the acrValues that were asked for',
  );
}

/** Whether a login is one with this organization: by its id where it begins so, else by its name. */
export function isOfOrganization(claims: IdTokenClaims, organization: string): boolean {
  const { org_id: id, org_name: name } = claims;
  if (organization.startsWith('org_')) return id === organization;
  return typeof name === 'string' && name.toLowerCase() === organization.toLowerCase();
}

/** Auth0, "Work with Tokens and Organizations": an id begins with `org_`; names are lower-case. */
function checkOrganization(claims: IdTokenClaims, organization: string | undefined): void {
  if (organization === undefined || isOfOrganization(claims, organization)) return;
  throw new ValidationError(
    'ERR_OIDC_ORGANIZATION',
    'Auth0: Work with Tokens and Organizations',
    'org_id or org_name of the ID Token is not the organization that was asked for',
  );
}

/** Auth0, the same page: an organization that comes without being asked for has to be one that is trusted. */
async function checkAllowedOrganizations(
  claims: IdTokenClaims,
  asked: string | undefined,
  { allowedOrganizations }: Pick<ResolvedOptions, 'allowedOrganizations'>,
): Promise<void> {
  const { org_id: id, org_name: name } = claims;
  if (allowedOrganizations === undefined || (id === undefined && name === undefined)) return;
  const isReadable = isTextOrAbsent(id) && isTextOrAbsent(name);
  // `true` and nothing like it: a forgotten `await` must let nobody in.
  if (isReadable && (await allowedOrganizations({ id, name, asked, claims })) === true) return;
  throw new ValidationError(
    'ERR_OIDC_ORGANIZATION',
    'Auth0: Work with Tokens and Organizations',
    'the organization of the ID Token is none of allowedOrganizations',
  );
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
