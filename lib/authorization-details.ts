import { OptionsError } from './errors.ts';

/**
 * One thing that the user is asked to allow, in more words than a scope has.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9396#section-2 RFC 9396 section 2}
 */
export interface AuthorizationDetail {
  /** Says what the other members mean. */
  readonly type: string;
  readonly locations?: readonly string[];
  readonly actions?: readonly string[];
  readonly datatypes?: readonly string[];
  readonly identifier?: string;
  readonly privileges?: readonly string[];
  readonly [member: string]: unknown;
}

/** Whether a value is a list of authorization details. */
export function isAuthorizationDetails(value: unknown): value is readonly AuthorizationDetail[] {
  return Array.isArray(value) && value.every(isAuthorizationDetail);
}

function isAuthorizationDetail(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { type } = value as { type?: unknown };
  return typeof type === 'string' && type !== '';
}

/**
 * Checks authorization details that an application gives, at start-up and for each request.
 *
 * @returns a copy, as it goes over the wire
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that shows nothing of them
 */
export function readAuthorizationDetails(
  given: unknown,
  option = 'authorizationDetails',
): readonly AuthorizationDetail[] {
  if (isAuthorizationDetails(given)) return JSON.parse(JSON.stringify(given));
  const wanted = 'an array of objects, each with a "type" that is a non-empty string';
  throw new OptionsError('ERR_OIDC_OPTION_INVALID', option, `"${option}" must be ${wanted}`);
}
