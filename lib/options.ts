import type { NextFunction, Request, Response } from 'express';
import { OptionsError } from './errors.ts';
import type { IdTokenClaims } from './oidc/id-token.ts';

/** The response types of the hybrid flow, and plain `code`. Wire name: `response_type`. */
export type ResponseType = 'code' | 'code id_token' | 'code token' | 'code id_token token';

/** How the OP sends its answer. Wire name: `response_mode`. */
export type ResponseMode = 'form_post' | 'query';

/** How the client authenticates at the token endpoint. Wire name: `token_endpoint_auth_method`. */
export type TokenEndpointAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'none';

/** What `verify` gets: a login in which every check has passed. */
export interface VerifiedLogin {
  /** Claims of the ID Token from the token endpoint. */
  readonly claims: IdTokenClaims;
  /** The code-exchanged access token, for calls made during the login. */
  readonly accessToken: string;
  /** Scope that was granted. */
  readonly scope: readonly string[];
  readonly req: Request;
}

/**
 * Turns a verified login into the application's user, or refuses it with `false`.
 *
 * Where Passport is mounted, the user it returns goes through `req.logIn`.
 */
export type Verify = (login: VerifiedLogin) => unknown | Promise<unknown>;

/** Answers a request that failed; the default renders a small page, or problem details as JSON. */
export type OnError = (error: unknown, req: Request, res: Response, next: NextFunction) => void;

/** Options of {@link hybridFlow}. */
export interface HybridFlowOptions {
  /** Issuer identifier of the OP, exactly as its discovery document spells it. */
  issuer: string;
  /** Wire name: `client_id`. */
  clientId: string;
  /** Wire name: `client_secret`. Required unless `tokenEndpointAuthMethod` is `none`. */
  clientSecret?: string | undefined;
  /** Public URL of the application, as browsers see it; may contain a path. */
  baseUrl: string;
  /** Seals cookies and stored tokens: at least 32 characters. The first of an array seals, all open. */
  secret: string | readonly string[];
  /** Wire name: `response_type`. @default 'code id_token' */
  responseType?: ResponseType | undefined;
  /** Wire name: `response_mode`. `query` only with `code`. @default 'form_post', for `code` 'query' */
  responseMode?: ResponseMode | undefined;
  /** Wire name: `scope`; has to contain `openid`. @default 'openid profile email' */
  scope?: string | undefined;
  /** The API that the access token is for, at OPs that take Auth0's `audience`. */
  audience?: string | undefined;
  /** Further authorization parameters by their wire names; those this library owns are refused. */
  authorizationParams?: Readonly<Record<string, string>> | undefined;
  /** Oldest acceptable authentication, in seconds; enforced. Wire name: `max_age`. */
  maxAge?: number | undefined;
  /** Space-separated; one of them has to come back as `acr`. Wire name: `acr_values`. */
  acrValues?: string | undefined;
  /** Auth0's `organization`, an id (`org_…`) or a name; enforced on `org_id` or `org_name`. */
  organization?: string | undefined;
  /** Wire name: `token_endpoint_auth_method`. @default what the OP offers, basic first */
  tokenEndpointAuthMethod?: TokenEndpointAuthMethod | undefined;
  /** Wire name: `id_token_signed_response_alg`. @default the asymmetric algorithms the OP lists */
  idTokenSignedResponseAlg?: string | undefined;
  /** Path of the login route, below the router's mount. @default '/login' */
  loginPath?: string | undefined;
  /** Path of the callback; `baseUrl` and it make the `redirect_uri`. @default '/callback' */
  callbackPath?: string | undefined;
  /** Path of the logout route. @default '/logout' */
  logoutPath?: string | undefined;
  /** Path the OP returns to after logout: the `post_logout_redirect_uri`. @default '/logout/callback' */
  postLogoutPath?: string | undefined;
  /** Name of the login in the session; two flows on one application need two. @default 'oidc' */
  sessionKey?: string | undefined;
  /** Renew an access token this long before it expires; at most half its life. @default 60 */
  refreshMarginSeconds?: number | undefined;
  /** Clock difference tolerated in `exp`, `iat`, `nbf` and `auth_time`. @default 30 */
  clockToleranceSeconds?: number | undefined;
  /** Longest wait for one answer of the OP, body included. @default 10 */
  httpTimeoutSeconds?: number | undefined;
  /** How long a login may take. @default 600 */
  transactionTtlSeconds?: number | undefined;
  /** Logins that one browser may have under way; the oldest give way. @default 4 */
  maxTransactions?: number | undefined;
  /** Largest body accepted at the callback. @default 65536 */
  callbackBodyLimitBytes?: number | undefined;
  /** Makes the application's user of a login, or refuses it. */
  verify?: Verify | undefined;
  /** Answers failures of the router and of `requireAuth`. @default a page, or problem details */
  onError?: OnError | undefined;
  /** Makes the calls to the OP. @default the global `fetch` */
  fetch?: typeof globalThis.fetch | undefined;
  /** Epoch milliseconds; for tests. @default `Date.now` */
  now?: (() => number) | undefined;
  /**
   * Allows `http:` beyond loopback. Never in production.
   *
   * @deprecated Everything that this library protects can be read and changed on the way.
   */
  dangerouslyAllowInsecureRequests?: boolean | undefined;
}

/** What the rest of the library sees: complete, checked, frozen. */
export interface ResolvedOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Without trailing slash. */
  readonly baseUrl: string;
  readonly origin: string;
  /** Path of `baseUrl`: empty or `/path`. */
  readonly basePath: string;
  readonly isSecure: boolean;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  readonly secrets: readonly string[];
  readonly responseType: ResponseType;
  readonly responseMode: ResponseMode;
  readonly scope: string;
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[];
  readonly organization: string | undefined;
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod | undefined;
  readonly idTokenSignedResponseAlg: string | undefined;
  readonly loginPath: string;
  readonly callbackPath: string;
  readonly logoutPath: string;
  readonly postLogoutPath: string;
  readonly sessionKey: string;
  readonly refreshMarginSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly httpTimeoutSeconds: number;
  readonly transactionTtlSeconds: number;
  readonly maxTransactions: number;
  readonly callbackBodyLimitBytes: number;
  readonly verify: Verify | undefined;
  readonly onError: OnError | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly allowInsecureRequests: boolean;
}

/** Defaults that are plain values; a test holds the README's table against them. */
export const defaultOptions = {
  responseType: 'code id_token',
  scope: 'openid profile email',
  loginPath: '/login',
  callbackPath: '/callback',
  logoutPath: '/logout',
  postLogoutPath: '/logout/callback',
  sessionKey: 'oidc',
  refreshMarginSeconds: 60,
  clockToleranceSeconds: 30,
  httpTimeoutSeconds: 10,
  transactionTtlSeconds: 600,
  maxTransactions: 4,
  callbackBodyLimitBytes: 65_536,
} as const;

const responseTypes: readonly ResponseType[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
];

const authMethods: readonly TokenEndpointAuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'none',
];

/** Signature algorithms an ID Token may have: asymmetric ones whose hash c_hash and at_hash can use. */
export const signatureAlgorithms: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/**
 * Authorization parameters that `authorizationParams` may not set: they belong to one login
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
  'organization',
  'audience',
  'request',
  'request_uri',
] as const;

const knownOptions: readonly string[] = [
  ...Object.keys(defaultOptions),
  'issuer',
  'clientId',
  'clientSecret',
  'baseUrl',
  'secret',
  'responseMode',
  'audience',
  'authorizationParams',
  'maxAge',
  'acrValues',
  'organization',
  'tokenEndpointAuthMethod',
  'idTokenSignedResponseAlg',
  'verify',
  'onError',
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

  return Object.freeze({
    // Verbatim: issuer identifiers are compared as strings, so a slash more or less matters.
    issuer: required(given, 'issuer'),
    clientId: required(given, 'clientId'),
    ...readClientCredentials(given),
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
    scope: readScope(given),
    authorizationParams: readAuthorizationParams(given),
    maxAge: given.maxAge === undefined ? undefined : readNumber(given, 'maxAge', 0, 0),
    acrValues: (readText(given, 'acrValues') ?? '').split(' ').filter(Boolean),
    organization: readText(given, 'organization'),
    idTokenSignedResponseAlg: readOneOf(
      'idTokenSignedResponseAlg',
      given.idTokenSignedResponseAlg,
      signatureAlgorithms,
    ),
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
    ),
    transactionTtlSeconds: readNumber(
      given,
      'transactionTtlSeconds',
      defaultOptions.transactionTtlSeconds,
      1,
    ),
    maxTransactions: readNumber(given, 'maxTransactions', defaultOptions.maxTransactions, 1),
    callbackBodyLimitBytes: readNumber(
      given,
      'callbackBodyLimitBytes',
      defaultOptions.callbackBodyLimitBytes,
      1024,
    ),
    verify: readFunction(given, 'verify'),
    onError: readFunction(given, 'onError'),
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

function readText(options: HybridFlowOptions, name: keyof HybridFlowOptions): string | undefined {
  const value: unknown = options[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '') {
    throw invalid(name, 'a non-empty string', value);
  }
  return value;
}

function readBoolean(
  options: HybridFlowOptions,
  name: keyof HybridFlowOptions,
): boolean | undefined {
  const value: unknown = options[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw invalid(name, 'true or false', value);
  return value;
}

function readNumber(
  options: HybridFlowOptions,
  name: keyof HybridFlowOptions,
  fallback: number,
  least: number,
): number {
  const value: unknown = options[name] ?? fallback;
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw invalid(name, `a whole number, ${least} or more`, value);
  }
  return value as number;
}

function readFunction<Name extends 'verify' | 'onError' | 'fetch' | 'now'>(
  options: HybridFlowOptions,
  name: Name,
): Exclude<HybridFlowOptions[Name], undefined> | undefined {
  const value = options[name];
  if (value !== undefined && typeof value !== 'function') throw invalid(name, 'a function', value);
  return value as Exclude<HybridFlowOptions[Name], undefined> | undefined;
}

function readOneOf<T extends string>(
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

function readClientCredentials(
  options: HybridFlowOptions,
): Pick<ResolvedOptions, 'clientSecret' | 'tokenEndpointAuthMethod'> {
  const tokenEndpointAuthMethod = readOneOf(
    'tokenEndpointAuthMethod',
    options.tokenEndpointAuthMethod,
    authMethods,
  );
  const { clientSecret } = options;
  if (clientSecret !== undefined && (typeof clientSecret !== 'string' || clientSecret === '')) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'clientSecret',
      '"clientSecret" must be a non-empty string; is the environment variable set?',
    );
  }
  if (clientSecret === undefined && tokenEndpointAuthMethod !== 'none') {
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'clientSecret',
      '"clientSecret" is required, unless "tokenEndpointAuthMethod" is "none"',
    );
  }
  return { clientSecret, tokenEndpointAuthMethod };
}

function readPaths(
  options: HybridFlowOptions,
): Pick<ResolvedOptions, 'loginPath' | 'callbackPath' | 'logoutPath' | 'postLogoutPath'> {
  const names = ['loginPath', 'callbackPath', 'logoutPath', 'postLogoutPath'] as const;
  const paths = names.map((name) => {
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
      `${names.map((name) => `"${name}"`).join(', ')} must differ from each other`,
    );
  }
  const [loginPath, callbackPath, logoutPath, postLogoutPath] = paths as [
    string,
    string,
    string,
    string,
  ];
  return { loginPath, callbackPath, logoutPath, postLogoutPath };
}

function readResponseMode(options: HybridFlowOptions, responseType: ResponseType): ResponseMode {
  const mode = readOneOf<ResponseMode>('responseMode', options.responseMode, [
    'form_post',
    'query',
  ]);
  if (mode === 'query' && responseType !== 'code') {
    // Multiple Response Types 5: tokens are not to be sent in a query.
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'responseMode',
      `"responseMode" may be "query" with the response type "code" only, not with "${responseType}"`,
    );
  }
  return mode ?? (responseType === 'code' ? 'query' : 'form_post');
}

function readScope(options: HybridFlowOptions): string {
  const scope = readText(options, 'scope') ?? defaultOptions.scope;
  if (!scope.split(' ').includes('openid')) {
    throw invalid('scope', 'a space-separated list that contains "openid"', scope);
  }
  return scope;
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

function readAuthorizationParams(options: HybridFlowOptions): Readonly<Record<string, string>> {
  const parameters: unknown = options.authorizationParams ?? {};
  if (typeof parameters !== 'object' || parameters === null) {
    throw invalid('authorizationParams', 'an object of strings', parameters);
  }
  for (const [name, value] of Object.entries(parameters)) {
    const option = `authorizationParams.${name}`;
    if ((reservedParameters as readonly string[]).includes(name)) {
      throw new OptionsError(
        'ERR_OIDC_OPTION_INVALID',
        option,
        `"${option}" cannot be set here: this library sets "${name}", by an option of its own where there is a choice`,
      );
    }
    if (typeof value !== 'string') throw invalid(option, 'a string', value);
  }
  const audience = readText(options, 'audience');
  return Object.freeze({ ...parameters, ...(audience === undefined ? {} : { audience }) });
}

function invalid(option: string, wanted: string, found: unknown): OptionsError {
  const shown =
    typeof found === 'string' ? JSON.stringify(found.slice(0, 80)) : `a ${typeof found}`;
  return new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    option,
    `"${option}" must be ${wanted}; found ${typeof found === 'number' ? String(found) : shown}`,
  );
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
