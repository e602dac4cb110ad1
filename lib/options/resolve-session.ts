import { OptionsError } from '../errors.ts';
import { defaultOptions, type HybridFlowOptions, type ResolvedOptions } from '../options.ts';
import { invalid, readNumber, readText } from './option-values.ts';
import { tenantSecrets } from './tenant-secrets.ts';

/** How logins are kept in the session, and on the way there. */
type SessionOptions = Pick<
  ResolvedOptions,
  | 'secrets'
  | 'sessionKey'
  | 'transactionTtlSeconds'
  | 'maxTransactions'
  | 'transactionCookie'
  | 'carryOver'
>;

/**
 * Checks where logins are kept, and what protects them there.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`, `ERR_OIDC_OPTION_UNKNOWN`
 */
export function resolveSession(
  options: HybridFlowOptions,
  baseUrl: URL,
  tenantId: string | undefined,
): SessionOptions {
  const { transactionTtlSeconds, maxTransactions } = defaultOptions;
  return {
    secrets: tenantSecrets(readSecrets(options.secret), tenantId),
    sessionKey: readSessionKey(options),
    transactionTtlSeconds: readNumber(options, 'transactionTtlSeconds', transactionTtlSeconds, 1),
    maxTransactions: readNumber(options, 'maxTransactions', maxTransactions, 1),
    transactionCookie: readTransactionCookie(options, baseUrl),
    carryOver: readCarryOver(options),
  };
}

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING` */
export function readSecrets(secret: unknown): readonly string[] {
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
  if (secret === undefined || secrets.length === 0) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'secret',
      '"secret" is required: a random string of 32 characters or more, or an array of them',
    );
  }
  return Object.freeze(
    secrets.map((item) => {
      if (typeof item === 'string' && item.length >= 32) return item;
      const found = typeof item === 'string' ? `${item.length} characters` : `a ${typeof item}`;
      throw new OptionsError(
        'ERR_OIDC_OPTION_INVALID',
        'secret',
        `"secret" needs 32 characters or more; found ${found}`,
      );
    }),
  );
}

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` */
export function readSessionKey(options: HybridFlowOptions): string {
  const sessionKey = readText(options, 'sessionKey') ?? defaultOptions.sessionKey;
  if (
    !/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(sessionKey) ||
    ['cookie', 'passport'].includes(sessionKey)
  ) {
    throw invalid('sessionKey', 'a short name of letters, digits, "_" and "-"', sessionKey);
  }
  return sessionKey;
}

function readTransactionCookie(
  options: HybridFlowOptions,
  baseUrl: URL,
): ResolvedOptions['transactionCookie'] {
  const given: unknown = options.transactionCookie === undefined ? {} : options.transactionCookie;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('transactionCookie', 'an object', given);
  }
  const known = ['name', 'path', 'domain'];
  const odd = Object.keys(given).find((key) => !known.includes(key));
  if (odd !== undefined) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_UNKNOWN',
      `transactionCookie.${odd}`,
      `"transactionCookie.${odd}" is not an option: "name", "path" and "domain" are; the cookies are always HttpOnly and SameSite=Lax, and Secure where "baseUrl" is https`,
    );
  }
  const read = (key: string, isGood: (value: string) => boolean, wanted: string) => {
    const value: unknown = (given as Record<string, unknown>)[key];
    if (value === undefined || (typeof value === 'string' && isGood(value))) return value;
    throw invalid(`transactionCookie.${key}`, wanted, value);
  };
  const { hostname, pathname } = baseUrl;
  const name = read(
    'name',
    (value) => /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(value),
    'a short name of letters, digits, "_" and "-"',
  );
  // Elsewhere the routes that begin logins would not see the cookies, and could not bound them.
  const path = read(
    'path',
    (value) => /^\/[\w.~/-]*$/.test(value) && isPathWithin(pathname, value),
    'the path of "baseUrl" or one above it',
  );
  const domain = read(
    'domain',
    (value) =>
      /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(value) &&
      `.${hostname}`.endsWith(`.${value}`),
    'the host of "baseUrl" or a domain above it, in lower case',
  );
  return Object.freeze({ name: name ?? readSessionKey(options), path: path ?? '/', domain });
}

/** RFC 6265 5.1.4: whether a cookie with this path is sent to the other. */
function isPathWithin(path: string, cookiePath: string): boolean {
  const start = cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`;
  return path === cookiePath || path.startsWith(start);
}

const carryEverything: ResolvedOptions['carryOver'] = ({ session }) => session;

function readCarryOver(options: HybridFlowOptions): ResolvedOptions['carryOver'] {
  const { carryOver } = options;
  if (carryOver === undefined) return carryEverything;
  if (typeof carryOver === 'function') return carryOver;
  if (!Array.isArray(carryOver) || !carryOver.every((key) => typeof key === 'string')) {
    throw invalid('carryOver', 'an array of keys of the session, or a function', carryOver);
  }
  const keys: readonly string[] = [...carryOver];
  return ({ session }) =>
    Object.fromEntries(Object.entries(session).filter(([key]) => keys.includes(key)));
}
