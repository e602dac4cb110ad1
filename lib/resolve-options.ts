import { isQueryParameter, readAuthorizationParams } from './authorization-parameters.ts';
import { OptionsError } from './errors.ts';
import type { Lock } from './lock.ts';
import { isOfOrganization } from './oidc/enforced-claims.ts';
import { invalid, readOneOf } from './option-values.ts';
import {
  type AuthorizationRequestMethod,
  type CommonOptions,
  defaultOptions,
  type HybridFlowOptions,
  type ResolvedOptions,
  type ResponseMode,
  type ResponseType,
  signatureAlgorithms,
} from './options.ts';
import { resolveCredentials, resolveRequestObject } from './resolve-credentials.ts';
import { isResourceUri } from './resource-uri.ts';

const responseTypes: readonly ResponseType[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
];

const requestMethods: readonly AuthorizationRequestMethod[] = ['get', 'post'];

const knownOptions: readonly string[] = [
  ...Object.keys(defaultOptions),
  'issuer',
  'clientId',
  'clientSecret',
  'baseUrl',
  'secret',
  'responseMode',
  'audience',
  'resource',
  'authorizationParams',
  'loginParams',
  'maxAge',
  'acrValues',
  'organization',
  'allowedOrganizations',
  'endSessionUrl',
  'clientKey',
  'tokenEndpointAuthMethod',
  'tokenEndpointAuthSigningAlg',
  'requestObject',
  'idTokenSignedResponseAlg',
  'backchannelLogout',
  'frontchannelLogout',
  'indexSessions',
  'endSessionParams',
  'idleLifetimeSeconds',
  'absoluteLifetimeSeconds',
  'refreshTokenLifetimeSeconds',
  'endWithIdToken',
  'transactionCookie',
  'carryOver',
  'trustedOrigins',
  'lock',
  'verify',
  'onError',
  'onRefreshFailure',
  'fetch',
  'now',
  'dangerouslyAllowInsecureRequests',
];

/**
 * Checks the options, fills in defaults and freezes the result; the caller's object is not touched.
 *
 * @throws {@link OptionsError} that names the option and never a secret's value
 */
export function resolveOptions(options: HybridFlowOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalid('options', 'an object', options);
  }
  refuseUnknown(options);
  const given: HybridFlowOptions = options;
  const allowInsecureRequests = readBoolean(given, 'dangerouslyAllowInsecureRequests') ?? false;
  readUrl('issuer', required(given, 'issuer'), allowInsecureRequests);
  const baseUrl = readUrl('baseUrl', required(given, 'baseUrl'), allowInsecureRequests);
  if (baseUrl.search !== '') throw invalid('baseUrl', 'a URL without a query', given.baseUrl);
  const base = baseUrl.href.replace(/\/+$/, '');
  const responseType =
    readOneOf('responseType', given.responseType, responseTypes) ?? defaultOptions.responseType;
  const paths = readPaths(given);
  const credentials = resolveCredentials(given);

  return Object.freeze({
    // Verbatim: issuer identifiers are compared as strings, so a slash more or less matters.
    issuer: required(given, 'issuer'),
    clientId: required(given, 'clientId'),
    ...credentials,
    requestObject: resolveRequestObject(given, credentials),
    baseUrl: base,
    origin: baseUrl.origin,
    basePath: base.slice(baseUrl.origin.length),
    isSecure: baseUrl.protocol === 'https:',
    ...paths,
    redirectUri: `${base}${paths.callbackPath}`,
    postLogoutRedirectUri: `${base}${paths.postLogoutPath}`,
    secrets: readSecrets(given.secret),
    responseType,
    responseMode: readResponseMode(given, responseType),
    authorizationRequestMethod:
      readOneOf('authorizationRequestMethod', given.authorizationRequestMethod, requestMethods) ??
      defaultOptions.authorizationRequestMethod,
    scope: readScope(given),
    audience: readText(given, 'audience'),
    resources: readResources(given),
    authorizationParams: readParams(given),
    loginParams: readLoginParams(given),
    maxAge: readOptionalNumber(given, 'maxAge', 0),
    acrValues: (readText(given, 'acrValues') ?? '').split(' ').filter(Boolean),
    organization: readText(given, 'organization'),
    allowedOrganizations: readAllowedOrganizations(given),
    endSessionUrl: readFunction(given, 'endSessionUrl'),
    idTokenSignedResponseAlg: readOneOf(
      'idTokenSignedResponseAlg',
      given.idTokenSignedResponseAlg,
      signatureAlgorithms,
    ),
    ...readOpLogout(given),
    endSessionParams: readEndSessionParams(given),
    idleLifetimeSeconds: readOptionalNumber(given, 'idleLifetimeSeconds', 60),
    absoluteLifetimeSeconds: readOptionalNumber(given, 'absoluteLifetimeSeconds', 1),
    refreshTokenLifetimeSeconds: readOptionalNumber(given, 'refreshTokenLifetimeSeconds', 1),
    endWithIdToken: readBoolean(given, 'endWithIdToken') ?? false,
    sessionKey: readSessionKey(given),
    refreshMarginSeconds: readNumber(
      given,
      'refreshMarginSeconds',
      defaultOptions.refreshMarginSeconds,
      0,
    ),
    clockToleranceSeconds: readNumber(
      given,
      'clockToleranceSeconds',
      defaultOptions.clockToleranceSeconds,
      0,
    ),
    httpTimeoutSeconds: readNumber(
      given,
      'httpTimeoutSeconds',
      defaultOptions.httpTimeoutSeconds,
      1,
      60,
    ),
    transactionTtlSeconds: readNumber(
      given,
      'transactionTtlSeconds',
      defaultOptions.transactionTtlSeconds,
      1,
    ),
    maxTransactions: readNumber(given, 'maxTransactions', defaultOptions.maxTransactions, 1),
    transactionCookie: readTransactionCookie(given, baseUrl),
    carryOver: readCarryOver(given),
    callbackBodyLimitBytes: readNumber(
      given,
      'callbackBodyLimitBytes',
      defaultOptions.callbackBodyLimitBytes,
      1024,
    ),
    trustedOrigins: readTrustedOrigins(given),
    lock: readLock(given),
    verify: readFunction(given, 'verify'),
    onError: readFunction(given, 'onError'),
    onRefreshFailure: readFunction(given, 'onRefreshFailure'),
    fetch: readFunction(given, 'fetch') ?? globalThis.fetch,
    now: readFunction(given, 'now') ?? Date.now,
    allowInsecureRequests,
  });
}

function refuseUnknown(options: object): void {
  for (const name of Object.keys(options)) {
    if (knownOptions.includes(name)) continue;
    const near = nearest(name, knownOptions);
    throw new OptionsError(
      'ERR_OIDC_OPTION_UNKNOWN',
      name,
      `"${name}" is not an option of hybridFlow()${near ? `; did you mean "${near}"?` : ''}`,
    );
  }
}

function required(options: HybridFlowOptions, name: 'issuer' | 'clientId' | 'baseUrl'): string {
  const value = readText(options, name);
  if (value === undefined) {
    throw new OptionsError('ERR_OIDC_OPTION_MISSING', name, `"${name}" is required`);
  }
  return value;
}

function readText(options: HybridFlowOptions, name: keyof CommonOptions): string | undefined {
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

function readBoolean(options: HybridFlowOptions, name: keyof CommonOptions): boolean | undefined {
  const value: unknown = options[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(name, 'true or false', value);
  return value;
}

function readNumber(
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

function readOptionalNumber(
  options: HybridFlowOptions,
  name: keyof CommonOptions,
  least: number,
): number | undefined {
  return options[name] === undefined ? undefined : readNumber(options, name, least, least);
}

function readOpLogout(
  options: HybridFlowOptions,
): Pick<ResolvedOptions, 'backchannelLogout' | 'frontchannelLogout' | 'indexSessions'> {
  const backchannelLogout = readBoolean(options, 'backchannelLogout') ?? false;
  const frontchannelLogout = readBoolean(options, 'frontchannelLogout') ?? false;
  const isNeeded = backchannelLogout || frontchannelLogout;
  const indexSessions = readBoolean(options, 'indexSessions') ?? isNeeded;
  if (isNeeded && !indexSessions) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'indexSessions',
      '"indexSessions" cannot be false with "backchannelLogout" or "frontchannelLogout", which find sessions by it',
    );
  }
  return { backchannelLogout, frontchannelLogout, indexSessions };
}

const noEndSessionParams = (): Readonly<Record<string, string>> => ({});

function readEndSessionParams(options: HybridFlowOptions): ResolvedOptions['endSessionParams'] {
  const { endSessionParams } = options;
  if (endSessionParams === undefined) return noEndSessionParams;
  if (typeof endSessionParams === 'function') return endSessionParams;
  const isTexts = Object.values(endSessionParams ?? [null]).every(
    (value) => typeof value === 'string',
  );
  if (typeof endSessionParams !== 'object' || endSessionParams === null || !isTexts) {
    throw invalid('endSessionParams', 'an object of strings, or a function', endSessionParams);
  }
  const parameters = Object.freeze({ ...endSessionParams });
  return () => parameters;
}

function readFunction<
  Name extends 'verify' | 'onError' | 'onRefreshFailure' | 'endSessionUrl' | 'fetch' | 'now',
>(options: HybridFlowOptions, name: Name): Exclude<CommonOptions[Name], undefined> | undefined {
  const value = options[name];
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'a function', value);
  return value as Exclude<CommonOptions[Name], undefined> | undefined;
}

function readTrustedOrigins(options: HybridFlowOptions): readonly string[] {
  const { trustedOrigins = [] } = options;
  const isOrigin = (value: unknown): boolean =>
    typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
  if (!Array.isArray(trustedOrigins) || !trustedOrigins.every(isOrigin)) {
    throw invalid(
      'trustedOrigins',
      'an array of origins such as "https://app.example"',
      trustedOrigins,
    );
  }
  return Object.freeze([...trustedOrigins]);
}

function readLock(options: HybridFlowOptions): Lock | undefined {
  const { lock } = options;
  if (lock !== undefined && typeof lock?.acquire !== 'function') {
    throw invalid('lock', 'an object with a function "acquire", such as redisLock(client)', lock);
  }
  return lock;
}

function readUrl(name: string, value: string, allowInsecureRequests: boolean): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.username || url?.password || url?.hash) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      name,
      `"${name}" must be a URL without credentials and without a fragment`,
    );
  }
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(name, 'an absolute https URL', value);
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowInsecureRequests) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      name,
      `"${name}" must be https: "http" is accepted for localhost, 127.0.0.1 and [::1] only`,
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function readSecrets(secret: unknown): readonly string[] {
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

const pathOptions = [
  'loginPath',
  'callbackPath',
  'logoutPath',
  'postLogoutPath',
  'backchannelLogoutPath',
  'frontchannelLogoutPath',
] as const;

type PathOption = (typeof pathOptions)[number];

function readPaths(options: HybridFlowOptions): Pick<ResolvedOptions, PathOption> {
  const paths = pathOptions.map((name) => {
    const path = readText(options, name) ?? defaultOptions[name];
    // Literal paths only: Express 4 and 5 read patterns differently.
    if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path)) {
      throw invalid(
        name,
        'a path such as "/login", of letters, digits, ".", "_", "~" and "-"',
        path,
      );
    }
    return path;
  });
  if (new Set(paths).size !== paths.length) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'callbackPath',
      `${pathOptions.map((name) => `"${name}"`).join(', ')} must differ from each other`,
    );
  }
  const named = pathOptions.map((name, index) => [name, paths[index]]);
  return Object.fromEntries(named) as Pick<ResolvedOptions, PathOption>;
}

function readResponseMode(
  options: HybridFlowOptions,
  responseType: ResponseType,
): ResponseMode | undefined {
  const mode = readOneOf<ResponseMode>('responseMode', options.responseMode, [
    'form_post',
    'query',
    'fragment',
  ]);
  if (mode === 'query' && responseType !== 'code') {
    // Multiple Response Types 5: tokens are not to be sent in a query.
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'responseMode',
      `"responseMode" may be "query" with the response type "code" only, not with "${responseType}"`,
    );
  }
  return mode ?? (responseType === 'code' ? 'query' : undefined);
}

function readScope(options: HybridFlowOptions): string {
  const scope = readText(options, 'scope') ?? defaultOptions.scope;
  if (!scope.split(' ').includes('openid')) {
    throw invalid('scope', 'a space-separated list that contains "openid"', scope);
  }
  return scope;
}

function readResources(options: HybridFlowOptions): readonly string[] {
  const { resource = [] } = options;
  const resources: readonly unknown[] = Array.isArray(resource) ? resource : [resource];
  return Object.freeze(
    resources.map((item) => {
      if (isResourceUri(item)) return item;
      throw invalid('resource', 'an absolute URI without a fragment, or an array of them', item);
    }),
  );
}

function readSessionKey(options: HybridFlowOptions): string {
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

const noParams: ResolvedOptions['authorizationParams'] = async () => ({});

function readParams(options: HybridFlowOptions): ResolvedOptions['authorizationParams'] {
  const { authorizationParams } = options;
  if (authorizationParams === undefined) return noParams;
  if (typeof authorizationParams === 'function') {
    return async (req) => readAuthorizationParams(await authorizationParams(req));
  }
  const checked = readAuthorizationParams(authorizationParams);
  return async () => checked;
}

function readAllowedOrganizations(
  options: HybridFlowOptions,
): ResolvedOptions['allowedOrganizations'] {
  const { allowedOrganizations } = options;
  if (allowedOrganizations === undefined || typeof allowedOrganizations === 'function') {
    return allowedOrganizations;
  }
  const isText = (item: unknown): boolean => typeof item === 'string' && item !== '';
  if (!Array.isArray(allowedOrganizations) || !allowedOrganizations.every(isText)) {
    const wanted = 'an array of ids and names of organizations, or a function';
    throw invalid('allowedOrganizations', wanted, allowedOrganizations);
  }
  const allowed: readonly string[] = [...allowedOrganizations];
  return ({ claims }) => allowed.some((organization) => isOfOrganization(claims, organization));
}

function readLoginParams(options: HybridFlowOptions): readonly string[] {
  const { loginParams = [] } = options;
  if (!Array.isArray(loginParams) || !loginParams.every((name) => typeof name === 'string')) {
    throw invalid('loginParams', 'an array of names of authorization parameters', loginParams);
  }
  const reserved = loginParams.find((name) => !isQueryParameter(name));
  if (reserved !== undefined) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'loginParams',
      `"loginParams" cannot have "${reserved}": this library sets it`,
    );
  }
  return Object.freeze([...loginParams]);
}

/** The known name that is least far from a misspelt one, if any is near. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= 3 ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
