import { OptionsError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';

/**
 * Refuses, with a profile, an API to which access tokens would go without TLS.
 *
 * @param option where the URL comes from
 * @see {@link https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.2.2 FAPI 2.0 5.2.2}
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function checkApiUrl(
  url: string | URL,
  option: string,
  { profile }: Pick<ResolvedOptions, 'profile'>,
): void {
  if (profile === undefined || new URL(url).protocol === 'https:') return;
  throw new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    option,
    `"${option}" must be https, on this machine too, as the "profile" "${profile}" demands`,
  );
}
