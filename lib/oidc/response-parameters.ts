import { ValidationError } from '../errors.ts';

/** Parameters of an authorization response that this library reads; all others are ignored. */
const usedParameters = [
  'code',
  'state',
  'iss',
  'id_token',
  'access_token',
  'token_type',
  'response',
  'error',
  'error_description',
  'error_uri',
] as const;

type UsedParameter = (typeof usedParameters)[number];

/** Each at most once, each a string; nothing is verified yet. */
export type ResponseParameters = { readonly [Name in UsedParameter]?: string };

/** Longest values accepted. What is sealed into the URL of the second hop has to stay small. */
const maxLengths: Readonly<Partial<Record<UsedParameter, number>>> = {
  code: 4096,
  state: 512,
  iss: 512,
  error: 128,
};

/**
 * Picks the parameters of an authorization response from names and values as they arrived.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1 RFC 6749 section 3.1}
 * @throws {@link ValidationError} `ERR_OIDC_PARAMETER_DUPLICATE`, `ERR_OIDC_PARAMETER_MALFORMED`
 */
export function readResponseParameters(
  raw: Iterable<readonly [name: string, value: unknown]>,
): ResponseParameters {
  const found = new Map<UsedParameter, string>();
  for (const [rawName, value] of raw) {
    const name = usedParameters.find((candidate) => candidate === rawName);
    if (name === undefined) continue;
    // RFC 6749 3.1: parameters MUST NOT be included more than once.
    if (found.has(name) || Array.isArray(value)) {
      throw new ValidationError(
        'ERR_OIDC_PARAMETER_DUPLICATE',
        'RFC 6749 3.1',
        `the authorization response has "${name}" more than once`,
      );
    }
    if (typeof value !== 'string' || !isAcceptable(name, value)) {
      throw new ValidationError(
        'ERR_OIDC_PARAMETER_MALFORMED',
        'RFC 6749 3.1',
        `"${name}" of the authorization response must be printable ASCII of acceptable length`,
      );
    }
    // RFC 6749 3.1: parameters sent without a value MUST be treated as if they were omitted.
    if (value !== '') found.set(name, value);
  }
  return Object.fromEntries(found);
}

function isAcceptable(name: UsedParameter, value: string): boolean {
  if (value.length > (maxLengths[name] ?? Number.POSITIVE_INFINITY)) return false;
  // RFC 6749 appendix A: printable ASCII. The texts of errors are shown to nobody.
  return name.startsWith('error_') || /^[\x20-\x7e]*$/.test(value);
}
