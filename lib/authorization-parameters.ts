import { OptionsError } from './errors.ts';

/**
 * Authorization parameters that an application may not set by name: they belong to one login
 * (`state`, `nonce`, PKCE), have an option of their own that is also enforced on the answer, or
 * would move the answer elsewhere.
 */
const reservedParameters = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'max_age',
  'acr_values',
  'claims',
  'authorization_details',
  'organization',
  'audience',
  'resource',
  'dpop_jkt',
  'request',
  'request_uri',
] as const;

/** Reserved ones that may come from the query of the login route: their options enforce them. */
const enforcedParameters: readonly string[] = ['max_age', 'acr_values', 'organization'];

/** Whether this library sets the parameter itself. */
export function isReservedParameter(name: string): boolean {
  return (reservedParameters as readonly string[]).includes(name);
}

/** Whether an application may let visitors set the parameter in the query of the login route. */
export function isQueryParameter(name: string): boolean {
  return enforcedParameters.includes(name) || !isReservedParameter(name);
}

/**
 * Checks authorization parameters that an application gives by their wire names; `undefined` counts
 * as absent. The same at start-up and for each request.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that names the parameter and not its value
 */
export function readAuthorizationParams(
  parameters: unknown,
  option = 'authorizationParams',
): Readonly<Record<string, string>> {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      option,
      `"${option}" must be an object of strings`,
    );
  }
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    const path = `${option}.${name}`;
    if (isReservedParameter(name)) {
      throw new OptionsError(
        'ERR_OIDC_OPTION_INVALID',
        path,
        `"${path}" cannot be set here: this library sets "${name}", by an option of its own where there is a choice`,
      );
    }
    if (value === undefined) continue;
    if (typeof value !== 'string') {
      const message = `"${path}" must be a string; found a ${typeof value}`;
      throw new OptionsError('ERR_OIDC_OPTION_INVALID', path, message);
    }
    checked[name] = value;
  }
  return Object.freeze(checked);
}
