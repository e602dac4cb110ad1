import type { Request } from 'express';
import { OptionsError } from '../errors.ts';
import type { Lock } from '../lock.ts';
import {
  type ClientCredentials,
  type CommonOptions,
  defaultOptions,
  type HybridFlowOptions,
  type OnError,
} from '../options.ts';
import { invalid, readFunction, readNumber } from './option-values.ts';
import { knownOptions, readLock } from './resolve-options.ts';
import { readSecrets, readSessionKey } from './resolve-session.ts';
import { readPaths } from './resolve-urls.ts';
import { refuseUnknown } from './unknown-option.ts';

/** Options that hold for all tenants: how logins are kept, where the routes are, and all functions. */
const optionsOfAll = [
  'secret',
  'sessionKey',
  'transactionTtlSeconds',
  'maxTransactions',
  'transactionCookie',
  'carryOver',
  'callbackBodyLimitBytes',
  'loginPath',
  'initiateLogin',
  'initiateLoginPath',
  'callbackPath',
  'logoutPath',
  'postLogoutPath',
  'backchannelLogout',
  'backchannelLogoutPath',
  'frontchannelLogout',
  'frontchannelLogoutPath',
  'indexSessions',
  'idleLifetimeSeconds',
  'httpTimeoutSeconds',
  'lock',
  'verify',
  'onError',
  'onRefreshFailure',
  'endSessionUrl',
  'fetch',
  'now',
  'dangerouslyAllowInsecureRequests',
] as const;

type OptionOfAll = (typeof optionsOfAll)[number];

/** Each of these may be left out, or be `undefined`: also under `exactOptionalPropertyTypes`. */
type Optional<Options> = { [Name in keyof Options]?: Options[Name] | undefined };

/**
 * One tenant: who its OP is, as whom we are known there, and where browsers find it. Data only, as from
 * a database; whatever is not said is as in the common options.
 */
export type TenantClient = Optional<Omit<CommonOptions, OptionOfAll>> &
  Optional<ClientCredentials> & {
    /** Names the tenant, whatever else of it changes. */
    id: string;
  };

/** Chooses the tenant of a request; `undefined` where there is none. */
export type ResolveClient = (
  req: Request,
) => TenantClient | undefined | Promise<TenantClient | undefined>;

/** Options of {@link tenantFlows}: those of `hybridFlow()` that tenants share, and how they are told apart. */
export type TenantFlowsOptions<Claims = unknown> = Optional<Omit<CommonOptions<Claims>, 'secret'>> &
  Optional<ClientCredentials> & {
    /** Seals cookies and stored tokens, for each tenant by a key of its own. */
    secret: string | readonly string[];
    /** The tenant of a request. Fails within `httpTimeoutSeconds`, if it does not answer. */
    resolveClient: ResolveClient;
    /** Tenants whose discovery and keys are kept in memory; who has not come for long gives way. @default 1000 */
    maxTenants?: number | undefined;
  };

/** What all tenants have in common: checked. */
export interface ResolvedTenants {
  readonly common: Partial<HybridFlowOptions>;
  readonly resolveClient: ResolveClient;
  readonly maxTenants: number;
  readonly sessionKey: string;
  readonly idleLifetimeSeconds: number | undefined;
  readonly loginPath: string;
  /** All paths that the router may answer, in lower case. */
  readonly paths: ReadonlySet<string>;
  readonly resolveSeconds: number;
  readonly lock: Lock | undefined;
  readonly onError: OnError | undefined;
  readonly now: () => number;
}

const defaultMaxTenants = 1000;

/**
 * Checks what can be checked without a tenant.
 *
 * @throws {@link OptionsError} that names the option and never a secret's value
 */
export function resolveTenants(options: TenantFlowsOptions): ResolvedTenants {
  if (typeof options !== 'object' || options === null) {
    throw invalid('options', 'an object', options);
  }
  const { resolveClient, maxTenants = defaultMaxTenants, ...rest } = options;
  const common = rest as Partial<HybridFlowOptions>;
  if (typeof resolveClient !== 'function') {
    throw invalid('resolveClient', 'a function of the request', resolveClient);
  }
  if (!Number.isSafeInteger(maxTenants) || maxTenants < 1) {
    throw invalid('maxTenants', 'a whole number, 1 or more', maxTenants);
  }
  refuseUnknown(common, [...knownOptions, 'resolveClient', 'maxTenants']);
  readSecrets(common.secret);
  const shared = common as HybridFlowOptions;
  const paths = readPaths(shared);
  const { httpTimeoutSeconds } = defaultOptions;
  return Object.freeze({
    common: Object.freeze({ ...common }),
    resolveClient,
    maxTenants,
    sessionKey: readSessionKey(shared),
    idleLifetimeSeconds: common.idleLifetimeSeconds,
    loginPath: paths.loginPath,
    paths: new Set(Object.values(paths).map((path) => path.toLowerCase())),
    resolveSeconds: readNumber(shared, 'httpTimeoutSeconds', httpTimeoutSeconds, 1, 60),
    lock: readLock(shared),
    onError: readFunction(shared, 'onError'),
    now: readFunction(shared, 'now') ?? Date.now,
  });
}

/**
 * A tenant as it is now, apart from the object that the application may change later.
 *
 * @throws {@link OptionsError} for what is of all tenants, or cannot be compared: a function
 */
export function readTenant(client: unknown): TenantClient {
  if (typeof client !== 'object' || client === null || Array.isArray(client)) {
    throw invalid('resolveClient', 'a function that gives an object or undefined', client);
  }
  const { id, ...options } = client as TenantClient;
  if (typeof id !== 'string' || id === '') throw invalid('id', 'a non-empty string', id);
  const known = knownOptions.filter((name) => !(optionsOfAll as readonly string[]).includes(name));
  refuseUnknown(options, known);
  return { id, ...(copyOf(options) as object) };
}

/**
 * Refuses an issuer that is data, and plain http: what this machine says to its neighbors is for the application
 * to decide, and not for whoever registers as a tenant.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function checkTenantIssuer(
  { issuer }: TenantClient,
  { dangerouslyAllowInsecureRequests }: Partial<HybridFlowOptions>,
): void {
  if (issuer === undefined || dangerouslyAllowInsecureRequests === true) return;
  if (URL.canParse(issuer) && new URL(issuer).protocol === 'https:') return;
  const message =
    'the "issuer" of a tenant must be an https URL, on this machine too; for development see dangerouslyAllowInsecureRequests';
  throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'issuer', message);
}

/** Keys are kept as they are: they do not change. */
function copyOf(value: unknown): unknown {
  if (typeof value === 'function') {
    const message = 'a tenant is data; functions are options of all tenants';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'resolveClient', message);
  }
  if (Array.isArray(value)) return value.map(copyOf);
  const isPlain =
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([name, item]) => [name, copyOf(item)]));
}
