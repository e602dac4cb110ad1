import { randomBytes } from 'node:crypto';
import type { ResponseType } from 'passport-oidc-hybrid';

/** All that the environment decides, read once at start. */
export interface Settings {
  readonly port: number;
  readonly apiPort: number;
  readonly opPort: number;
  /** Where the shop listens; loopback, unless a container is around it. */
  readonly listenAddress: string;
  /** Who may say by `X-Forwarded-…` how a request has come: Express's setting `trust proxy`. */
  readonly trustProxy: string;
  /** Public URL of the shop, without trailing slash. */
  readonly baseUrl: string;
  /** Where the shop finds the orders API. */
  readonly apiUrl: string;
  /** What the orders API wants to read in `aud`. */
  readonly apiAudience: string;
  readonly issuer: string;
  /** True where no `ISSUER` was given: this process then runs an OP of its own. */
  readonly usesLocalOp: boolean;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly responseType: ResponseType;
  readonly scope: string;
  /** Auth0's way to name the API that the access token is for. */
  readonly audience: string | undefined;
  /** The standard's way to do so, RFC 8707. */
  readonly resource: string | undefined;
  readonly sessionSecret: string;
  readonly oidcSecret: string;
  /** True where the secrets were made at start: every session then ends with the process. */
  readonly hasTemporarySecrets: boolean;
  readonly redisUrl: string | undefined;
  /** Life of the local OP's access tokens: short, so that one can watch them being renewed. */
  readonly accessTokenSeconds: number;
}

/** A setting that cannot be used. Its message is shown without a stack trace. */
export class SettingsError extends Error {}

const localResource = 'https://api.shop.example';

const responseTypes: readonly ResponseType[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
];

/** Turns the environment into settings, or says which variable is wrong and what is wanted. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const port = readNumber('PORT', read('PORT') ?? '3000');
  const apiPort = readNumber('API_PORT', read('API_PORT') ?? '4001');
  return Object.freeze({
    port,
    apiPort,
    ...readProvider(read),
    listenAddress: read('LISTEN_ADDRESS') ?? '127.0.0.1',
    trustProxy: read('TRUST_PROXY') ?? 'loopback',
    baseUrl: readBaseUrl(read('BASE_URL') ?? `http://localhost:${port}`),
    apiUrl: readUrl('API_URL', read('API_URL') ?? `http://127.0.0.1:${apiPort}`),
    responseType: readResponseType(read('RESPONSE_TYPE') ?? 'code id_token'),
    scope: read('SCOPE') ?? 'openid profile email offline_access orders:read orders:write',
    sessionSecret: readSecret('SESSION_SECRET', read) ?? randomSecret(),
    oidcSecret: readSecret('OIDC_SECRET', read) ?? randomSecret(),
    hasTemporarySecrets: !read('SESSION_SECRET') || !read('OIDC_SECRET'),
    redisUrl: read('REDIS_URL'),
    accessTokenSeconds: readNumber(
      'OP_ACCESS_TOKEN_SECONDS',
      read('OP_ACCESS_TOKEN_SECONDS') ?? '60',
    ),
  });
}

type Read = (name: string) => string | undefined;

type ProviderSettings = Pick<
  Settings,
  | 'opPort'
  | 'issuer'
  | 'usesLocalOp'
  | 'clientId'
  | 'clientSecret'
  | 'audience'
  | 'resource'
  | 'apiAudience'
>;

function readProvider(read: Read): ProviderSettings {
  const opPort = readNumber('OP_PORT', read('OP_PORT') ?? '4000');
  const issuer = read('ISSUER');
  if (issuer === undefined) return { opPort, ...localProvider(opPort, read) };
  const clientId = read('CLIENT_ID');
  if (clientId === undefined) {
    throw new SettingsError('ISSUER is set, so CLIENT_ID is needed too; see .env.example');
  }
  const audience = read('AUDIENCE');
  const resource = read('RESOURCE');
  return {
    opPort,
    issuer,
    usesLocalOp: false,
    clientId,
    clientSecret: read('CLIENT_SECRET'),
    audience,
    resource,
    apiAudience: read('API_AUDIENCE') ?? audience ?? resource ?? localResource,
  };
}

function localProvider(opPort: number, read: Read): Omit<ProviderSettings, 'opPort'> {
  return {
    // 127.0.0.1 and not localhost, on purpose. Browsers take http://localhost:3000 and
    // http://localhost:4000 for one site and would send the shop's SameSite cookies on the OP's
    // form_post; a hosted OP is another site, and so is this one.
    issuer: `http://127.0.0.1:${opPort}`,
    usesLocalOp: true,
    clientId: read('CLIENT_ID') ?? 'halyard-shop',
    clientSecret: read('CLIENT_SECRET') ?? randomSecret(),
    audience: undefined,
    resource: localResource,
    apiAudience: localResource,
  };
}

function readNumber(name: string, value: string): number {
  if (/^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new SettingsError(`${name} must be a whole number from 1 to 65535; found "${value}"`);
}

function readBaseUrl(value: string): string {
  const url = readUrl('BASE_URL', value);
  if (url === new URL(url).origin) return url;
  throw new SettingsError('BASE_URL must be without a path: the links of this shop begin with "/"');
}

function readUrl(name: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.search === '')
    return url.href.replace(/\/$/, '');
  throw new SettingsError(`${name} must look like https://shop.example`);
}

function readResponseType(value: string): ResponseType {
  const responseType = responseTypes.find((candidate) => candidate === value);
  if (responseType !== undefined) return responseType;
  throw new SettingsError(`RESPONSE_TYPE must be one of: ${responseTypes.join(' | ')}`);
}

function readSecret(name: string, read: Read): string | undefined {
  const secret = read(name);
  if (secret === undefined || secret.length >= 32) return secret;
  throw new SettingsError(`${name} must have 32 characters or more; see .env.example`);
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
