import { OptionsError } from './errors.ts';

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
