import { OptionsError } from '../errors.ts';
import type {
  AuthorizationParams,
  ClientCredentials,
  CommonOptions,
  HybridFlowOptions,
} from '../options.ts';

/** Every option of `hybridFlow()`, with an issuer only where the preset's is not wanted. */
export type PresetOptions = Omit<CommonOptions, 'issuer'> & {
  /** In place of the preset's own, verbatim. */
  issuer?: string | undefined;
} & ClientCredentials;

/** The preset's options under those of the application; `undefined` counts as absent. */
export function withPreset<Given extends object>(
  preset: Partial<HybridFlowOptions>,
  given: Given,
): HybridFlowOptions {
  const wanted = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...preset, ...Object.fromEntries(wanted) } as HybridFlowOptions;
}

/** Parameters of the preset under those of the application, one by one. */
export function mergeParams(
  preset: Readonly<Record<string, string | undefined>>,
  given: AuthorizationParams | undefined,
): AuthorizationParams {
  if (typeof given !== 'function') return { ...preset, ...given };
  return async (req) => ({ ...preset, ...(await given(req)) });
}

/**
 * Checks a host name that becomes a part of the issuer.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`
 */
export function readHost(option: string, value: unknown, example: string): string {
  if (typeof value === 'string' && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(value)) {
    return value.toLowerCase();
  }
  const code = value === undefined ? 'ERR_OIDC_OPTION_MISSING' : 'ERR_OIDC_OPTION_INVALID';
  const message = `"${option}" must be a host name such as "${example}", without "https://" and without a path`;
  throw new OptionsError(code, option, message);
}
