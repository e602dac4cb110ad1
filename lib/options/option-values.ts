import { OptionsError } from '../errors.ts';
import type { CommonOptions, HybridFlowOptions } from '../options.ts';

/** An option that is not what is wanted; the message shows no more of it than is safe. */
export function invalid(option: string, wanted: string, found: unknown): OptionsError {
  return new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    option,
    `"${option}" must be ${wanted}; found ${show(found)}`,
  );
}

/** A value as a message may show it; a URL that cannot be parsed may still hold a password. */
function show(value: unknown): string {
  if (typeof value === 'number' || value === null) return String(value);
  if (typeof value !== 'string') return `a ${typeof value}`;
  return value.includes('@') ? 'a text with "@"' : JSON.stringify(value.slice(0, 80));
}

/**
 * One of a few values, or `undefined`.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that lists them
 */
export function readOneOf<T extends string>(
  name: string,
  value: unknown,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw invalid(name, `one of ${allowed.map((item) => `"${item}"`).join(', ')}`, value);
  }
  return found;
}

/**
 * An option without which nothing works.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_MISSING`, `ERR_OIDC_OPTION_INVALID`
 */
export function required(
  options: HybridFlowOptions,
  name: 'issuer' | 'clientId' | 'baseUrl',
): string {
  const value = readText(options, name);
  if (value === undefined) {
    throw new OptionsError('ERR_OIDC_OPTION_MISSING', name, `"${name}" is required`);
  }
  return value;
}

/**
 * A text, such as an environment variable gives.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function readText(
  options: HybridFlowOptions,
  name: keyof CommonOptions,
): string | undefined {
  const value: unknown = options[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value !== value.trim()) {
    throw invalid(
      name,
      'a non-empty string without space around it (is the environment variable set?)',
      value,
    );
  }
  return value;
}

/**
 * A switch.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function readBoolean(
  options: HybridFlowOptions,
  name: keyof CommonOptions,
): boolean | undefined {
  const value: unknown = options[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(name, 'true or false', value);
  return value;
}

/**
 * A whole number within bounds.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function readNumber(
  options: HybridFlowOptions,
  name: keyof CommonOptions,
  fallback: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const given: unknown = options[name];
  const value = given === undefined ? fallback : given;
  const isWithin = (value as number) >= least && (value as number) <= most;
  if (!Number.isSafeInteger(value) || !isWithin) {
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
    throw invalid(name, `a whole number, ${range}`, value);
  }
  return value as number;
}

/**
 * A whole number without a default.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function readOptionalNumber(
  options: HybridFlowOptions,
  name: keyof CommonOptions,
  least: number,
): number | undefined {
  return options[name] === undefined ? undefined : readNumber(options, name, least, least);
}

/**
 * A function of the application.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function readFunction<
  Name extends 'verify' | 'onError' | 'onRefreshFailure' | 'endSessionUrl' | 'fetch' | 'now',
>(options: HybridFlowOptions, name: Name): Exclude<CommonOptions[Name], undefined> | undefined {
  const value = options[name];
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'a function', value);
  return value as Exclude<CommonOptions[Name], undefined> | undefined;
}
