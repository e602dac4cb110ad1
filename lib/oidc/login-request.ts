import { readAuthorizationParams } from '../authorization-parameters.ts';
import { OptionsError, ValidationError } from '../errors.ts';
import type { LoginOptions, RequestedClaims, ResolvedOptions } from '../options.ts';
import { authTimeOf, isOfOrganization } from './enforced-claims.ts';
import type { IdTokenClaims } from './id-token-claims.ts';

/** What a login asks for: {@link LoginOptions} that were checked. */
export interface LoginRequest {
  /** Seconds; enforced. Wire name: `max_age`. */
  readonly maxAge: number | undefined;
  /** One of them has to come; enforced. Wire name: `acr_values`. */
  readonly acrValues: readonly string[];
  /** Enforced. */
  readonly organization: string | undefined;
  /** Further authorization parameters by their wire names; nothing of them is enforced. */
  readonly parameters: Readonly<Record<string, string>>;
}

const knownOptions = [
  'prompt',
  'loginHint',
  'acrValues',
  'maxAge',
  'organization',
  'authorizationParams',
] as const;

/** What every login of the flow asks for. */
export function loginRequestOf({
  maxAge,
  acrValues,
  organization,
}: Pick<ResolvedOptions, 'maxAge' | 'acrValues' | 'organization'>): LoginRequest {
  return { maxAge, acrValues, organization, parameters: {} };
}

/** An ordinary login, for which the OP is told whether to ask the user. */
export function withPrompt(prompt: string): LoginRequest {
  return { maxAge: undefined, acrValues: [], organization: undefined, parameters: { prompt } };
}

/**
 * Checks what an application says about one login.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_UNKNOWN`
 */
export function resolveLoginOptions(login: LoginOptions): LoginRequest {
  const given = Object.entries(login).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (!(knownOptions as readonly string[]).includes(name)) {
      throw new OptionsError(
        'ERR_OIDC_OPTION_UNKNOWN',
        `login.${name}`,
        `"login.${name}" does not belong to a login; known are ${knownOptions.join(', ')}`,
      );
    }
    if (name === 'authorizationParams') continue;
    const isGood = name === 'maxAge' ? isAge(value) : isText(value);
    if (isGood) continue;
    const wanted = name === 'maxAge' ? 'a whole number of seconds' : 'a non-empty string';
    const message = `"login.${name}" must be ${wanted}`;
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', `login.${name}`, message);
  }
  const { prompt, loginHint, maxAge, organization } = login;
  return {
    maxAge,
    acrValues: spaceSeparated(login.acrValues),
    organization,
    parameters: {
      ...readAuthorizationParams(login.authorizationParams ?? {}, 'login.authorizationParams'),
      ...(prompt === undefined ? {} : { prompt }),
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    },
  };
}

/**
 * Adds what a route, an API or a visitor asks for to what was asked for before: it takes its place,
 * but for the age of the authentication, which nobody makes laxer.
 */
export function narrowLogin(before: LoginRequest, asked: LoginRequest | undefined): LoginRequest {
  if (asked === undefined) return before;
  const ages = [before.maxAge, asked.maxAge].filter((age) => age !== undefined);
  return {
    maxAge: ages.length > 0 ? Math.min(...ages) : undefined,
    acrValues: asked.acrValues.length > 0 ? asked.acrValues : before.acrValues,
    organization: asked.organization ?? before.organization,
    parameters: { ...before.parameters, ...asked.parameters },
  };
}

/** Longest value of one parameter: what is enforced travels in a cookie, and the rest in a URL. */
const maxEnforcedLength = 256;
const maxLength = 2048;

/**
 * What a visitor asks for in the query of the login route, of the parameters that the application
 * has allowed. All others are passed over. What the application enforces a visitor can only narrow:
 * links are made by anybody.
 *
 * @throws {@link ValidationError} `ERR_OIDC_LOGIN_PARAMETER`
 */
export function readLoginQuery(
  query: readonly (readonly [name: string, value: string])[],
  allowed: readonly string[],
  before: LoginRequest,
  { idToken }: ResolvedOptions['claims'],
): LoginRequest {
  const given = new Map<string, string>();
  for (const [name, value] of query) {
    if (!allowed.includes(name)) continue;
    const longest = name in readers ? maxEnforcedLength : maxLength;
    const isGood = value !== '' && value.length <= longest;
    if (!isGood || given.has(name)) throw refuseQuery(name, 'it is empty, too long or there twice');
    given.set(name, value);
  }
  const asked: LoginRequest = {
    maxAge: readers.max_age(given.get('max_age')),
    acrValues: readers.acr_values(given.get('acr_values'), acrOf(before, idToken)),
    organization: readers.organization(given.get('organization'), before),
    parameters: Object.fromEntries([...given].filter(([name]) => !(name in readers))),
  };
  return asked;
}

/** What the application wants `acr` to be: a wish for the claim gives way to the `acr_values` of a login. */
function acrOf({ acrValues }: LoginRequest, { acr }: RequestedClaims): readonly unknown[] {
  if (acrValues.length > 0) return acrValues;
  return acr?.values ?? (acr?.value === undefined ? [] : [acr.value]);
}

/** Parameters of the query that are enforced on the answer, each with what it may say. */
const readers = {
  max_age(value: string | undefined): number | undefined {
    if (value === undefined) return undefined;
    if (!/^\d{1,9}$/.test(value)) throw refuseQuery('max_age', 'it is no number of seconds');
    return Number(value);
  },
  acr_values(value: string | undefined, wanted: readonly unknown[]): readonly string[] {
    const asked = spaceSeparated(value);
    if (wanted.length > 0 && !asked.every((acr) => wanted.includes(acr))) {
      throw refuseQuery('acr_values', 'the application asks for others');
    }
    return asked;
  },
  organization(value: string | undefined, { organization }: LoginRequest): string | undefined {
    if (value !== undefined && organization !== undefined && value !== organization) {
      throw refuseQuery('organization', 'the application asks for another one');
    }
    return value;
  },
};

/** Whether a login that is there already is what is asked for, so that another would change nothing. */
export function isMetBy(
  claims: IdTokenClaims,
  { maxAge, acrValues, organization }: LoginRequest,
  options: Pick<ResolvedOptions, 'now' | 'clockToleranceSeconds'>,
): boolean {
  if (acrValues.length > 0 && !acrValues.includes(String(claims.acr))) return false;
  if (organization !== undefined && !isOfOrganization(claims, organization)) return false;
  if (maxAge === undefined) return true;
  const now = options.now() / 1000;
  const authTime = authTimeOf(claims, now + options.clockToleranceSeconds);
  return authTime !== undefined && now - authTime <= maxAge + options.clockToleranceSeconds;
}

function spaceSeparated(text: string | undefined): readonly string[] {
  return (text ?? '').split(' ').filter(Boolean);
}

function isAge(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value === value.trim();
}

function refuseQuery(name: string, found: string): ValidationError {
  return new ValidationError(
    'ERR_OIDC_LOGIN_PARAMETER',
    'Core 3.1.2.1',
    `the parameter ${name} in the query of the login route cannot be used: ${found}`,
  );
}
