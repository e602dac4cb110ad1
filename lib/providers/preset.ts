import { OptionsError } from '../errors.ts';
import { invalid } from '../options/option-values.ts';
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

/**
 * Parameters of the preset under those of the application, one by one. What cannot be parameters goes
 * on as it is, to be refused where the application's options are checked.
 */
export function mergeParams(
  preset: Readonly<Record<string, string | undefined>>,
  given: AuthorizationParams | undefined,
): AuthorizationParams {
  if (typeof given !== 'function') return mergeWith(preset, given);
  return async (req) => mergeWith(preset, await given(req));
}

function mergeWith<Given>(
  preset: Readonly<Record<string, string | undefined>>,
  given: Given | undefined,
): Given {
  const isMergeable = typeof given === 'object' && given !== null && !Array.isArray(given);
  return given === undefined || isMergeable ? ({ ...preset, ...given } as Given) : given;
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
  throw wrongPlace(
    option,
    `a host name such as "${example}", without "https://" and without a path`,
    value,
  );
}

/** An option that says where the OP is: often an environment variable that nobody has set. */
export function wrongPlace(option: string, wanted: string, found: unknown): OptionsError {
  if (found !== undefined) {
    return invalid(option, `${wanted} (is the environment variable set?)`, found);
  }
  const message = `"${option}" is required: ${wanted}`;
  return new OptionsError('ERR_OIDC_OPTION_MISSING', option, message);
}
