import { randomBytes } from 'node:crypto';
import type { ServerMetadata } from 'openid-client';
import { HybridFlowError, ProviderError } from '../errors.ts';
import { chooseResponseMode } from '../oidc/authorization-request.ts';
import { boundedFetch } from '../oidc/bounded-fetch.ts';
import { adviseOnMetadata } from '../oidc/metadata-advice.ts';
import { createProvider, type DiscoveredProvider } from '../oidc/provider.ts';
import { requestTokens } from '../oidc/token-endpoint.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import {
  type HybridFlowOptions,
  type ResolvedOptions,
  type ResponseMode,
  type ResponseType,
  signatureAlgorithms,
} from '../options.ts';
import { type Finding, fail, note, ok } from './finding.ts';
import { probeRedirectUri } from './redirect-uri.ts';

/** What is to be examined. */
export interface Patient {
  readonly issuer: string;
  readonly clientId: string;
  readonly baseUrl: string;
  readonly clientSecret?: string | undefined;
  readonly responseType?: string | undefined;
  readonly responseMode?: string | undefined;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
  readonly callbackPath?: string | undefined;
  /** @default the global `fetch` */
  readonly fetch?: typeof globalThis.fetch;
  /** Epoch milliseconds. @default `Date.now` */
  readonly now?: () => number;
}

/** Looks at an OP, a client and a base URL together: what would fail at the first login, and why. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const clock = watchClock(patient.fetch ?? globalThis.fetch, patient.now ?? Date.now);
  const options = readOptions(patient, clock.fetch);
  if (!('redirectUri' in options)) return [options];
  const provider = createProvider(options);
  let discovered: DiscoveredProvider;
  try {
    discovered = await provider.discovered();
  } catch (error) {
    return [...examineBaseUrl(options), discoveryFailed(error, options)];
  }
  const mode = chooseResponseMode(discovered, options);
  const fetch = boundedFetch(options);
  return [
    ...examineBaseUrl(options),
    ok('discovery', `${options.issuer} answers, and names itself so to the letter`),
    ...examineMetadata(discovered.metadata, options, mode),
    await examineKeys(discovered, fetch),
    ...clock.findings(options.clockToleranceSeconds),
    ...(await probeRedirectUri(discovered, options, mode, fetch)),
    ...(patient.clientSecret === undefined
      ? [note('client', 'not tried: no secret was given', 'set CLIENT_SECRET to try it')]
      : [await examineClient(discovered, options)]),
  ];
}

function readOptions(patient: Patient, fetch: typeof globalThis.fetch): ResolvedOptions | Finding {
  const { clientSecret, responseType, responseMode, now, ...given } = patient;
  const options = {
    ...given,
    ...(clientSecret === undefined ? { tokenEndpointAuthMethod: 'none' } : { clientSecret }),
    responseType: responseType as ResponseType | undefined,
    responseMode: responseMode as ResponseMode | undefined,
    secret: randomBytes(32).toString('base64url'),
    fetch,
    now,
  } as HybridFlowOptions;
  try {
    return resolveOptions(options);
  } catch (error) {
    if (!(error instanceof HybridFlowError)) throw error;
    return fail('options', error.message, 'correct this one first; nothing else was looked at');
  }
}

function examineBaseUrl({ baseUrl, isSecure, transactionCookie }: ResolvedOptions): Finding[] {
  if (!isSecure) {
    return [
      note(
        'cookies',
        `${baseUrl} is http on loopback: cookies without Secure, for development only`,
        'open exactly this host in the browser: to cookies, localhost and 127.0.0.1 are two',
      ),
    ];
  }
  const prefix = transactionCookie.path === '/' ? '__Host-' : '__Secure-';
  return [
    ok('cookies', `${baseUrl} is https: cookies are Secure, HttpOnly, SameSite=Lax, ${prefix}…`),
    note(
      'session',
      'whether the session cookie is Secure is up to express-session',
      "behind a proxy that ends TLS: app.set('trust proxy', 1) and cookie: { secure: 'auto', sameSite: 'lax' }",
    ),
  ];
}

function discoveryFailed(error: unknown, { issuer }: ResolvedOptions): Finding {
  const code = error instanceof HybridFlowError ? error.code : undefined;
  const found = error instanceof Error ? error.message : String(error);
  const change: Partial<Record<string, string>> = {
    ERR_OIDC_DISCOVERY_ISSUER: `look at "issuer" in ${issuer.replace(/\/$/, '')}/.well-known/openid-configuration, and copy it as it is`,
    ERR_OIDC_PROVIDER_UNREACHABLE:
      'check the host name, and whether this machine may connect there (proxy, firewall, certificate)',
    ERR_OIDC_PROVIDER_TIMEOUT: 'check whether this machine may connect there (proxy, firewall)',
    ERR_OIDC_PROVIDER_RESPONSE: `the issuer is the URL in front of /.well-known/openid-configuration: Auth0's ends with a slash, PingOne's with /as`,
  };
  return fail('discovery', found, change[code ?? ''] ?? 'ask who runs the OP');
}

function examineMetadata(
  metadata: ServerMetadata,
  options: ResolvedOptions,
  mode: ResponseMode,
): Finding[] {
  const advice = adviseOnMetadata(metadata, options);
  const isAgainst = (code: string): boolean => advice.some((one) => one.code === code);
  const findings = advice.map(({ isFatal, found, change }) =>
    isFatal ? fail('metadata', found, change) : note('metadata', found, change),
  );
  if (!isAgainst('OIDC_RESPONSE_TYPE')) {
    findings.push(ok('response type', `"${options.responseType}" is offered`));
  }
  if (!isAgainst('OIDC_RESPONSE_MODE')) findings.push(examineMode(metadata, options, mode));
  findings.push(
    metadata.code_challenge_methods_supported?.includes('S256')
      ? ok('PKCE', 'S256 is offered')
      : note('PKCE', 'the OP does not list S256; it is sent all the same, and may be ignored'),
  );
  const hasFrontIdToken = options.responseType.includes('id_token');
  if (!hasFrontIdToken && !metadata.authorization_response_iss_parameter_supported) {
    findings.push(
      note(
        'issuer',
        `"${options.responseType}" brings no ID Token by the browser, and the OP does not list the parameter iss (RFC 9207)`,
        'use "code id_token" where users of several OPs sign in: a mix-up of them could not be seen',
      ),
    );
  }
  findings.push(...examineScope(metadata, options), ...examineLogout(metadata));
  return findings;
}

function examineMode(
  { response_modes_supported: listed }: ServerMetadata,
  { responseType }: ResolvedOptions,
  mode: ResponseMode,
): Finding {
  if (mode === 'fragment') {
    return note(
      'response mode',
      'the OP lists no form_post: answers come by fragment, which takes a script',
    );
  }
  const isUnlisted = listed === undefined && responseType !== 'code';
  return isUnlisted
    ? note('response mode', `the OP lists no response modes; ${mode} is tried`)
    : ok('response mode', `${mode} is offered`);
}

function examineScope(
  { scopes_supported: listed }: ServerMetadata,
  { scope }: ResolvedOptions,
): Finding[] {
  const missing = scope.split(' ').filter((name) => listed && !listed.includes(name));
  const findings =
    missing.length === 0 ? [] : [note('scope', `the OP does not list: ${missing.join(' ')}`)];
  if (!scope.split(' ').includes('offline_access')) {
    findings.push(
      note(
        'scope',
        'without offline_access most OPs give no refresh token: a login then ends with its access token',
        'add offline_access to "scope", or use requireAuth({ accessToken: false }) where no API is called',
      ),
    );
  }
  return findings;
}

function examineLogout(metadata: ServerMetadata): Finding[] {
  return [
    metadata.end_session_endpoint === undefined
      ? note(
          'logout',
          'the OP has no end_session_endpoint: a logout ends the login here only',
          'see the option "endSessionUrl"',
        )
      : ok('logout', 'the OP has an end_session_endpoint'),
    metadata.revocation_endpoint === undefined
      ? note(
          'logout',
          'the OP has no revocation_endpoint: refresh tokens of ended logins stay good there',
        )
      : ok('logout', 'refresh tokens are revoked at logout'),
    metadata['backchannel_logout_supported'] === true
      ? ok('logout', 'the OP can end sessions here: see the option "backchannelLogout"')
      : note('logout', 'the OP does not list back-channel logout'),
  ];
}

async function examineKeys(
  { metadata }: DiscoveredProvider,
  fetch: ReturnType<typeof boundedFetch>,
): Promise<Finding> {
  let keys: unknown;
  try {
    const response = await fetch(String(metadata.jwks_uri));
    ({ keys } = (await response.json()) as { keys?: unknown });
  } catch {
    // What it says instead is the OP's text, and no word of it is for a terminal.
    return fail('keys', 'jwks_uri gives no keys that can be read', 'ask who runs the OP');
  }
  const usable = (Array.isArray(keys) ? keys : []).filter(isForIdTokens);
  return usable.length === 0
    ? fail(
        'keys',
        'the OP publishes no key that an ID Token could be verified with',
        'let the OP sign by an asymmetric algorithm',
      )
    : ok('keys', `the OP publishes ${usable.length} of them for ID Tokens`);
}

function isForIdTokens(key: unknown): boolean {
  const { kty, use = 'sig', alg } = Object(key) as Record<'kty' | 'use' | 'alg', unknown>;
  const isKnown = alg === undefined || signatureAlgorithms.some((known) => known === alg);
  return ['RSA', 'EC', 'OKP'].some((known) => known === kty) && use === 'sig' && isKnown;
}

/** Tries the client's credentials with a code that cannot be good. */
async function examineClient(
  discovered: DiscoveredProvider,
  options: ResolvedOptions,
): Promise<Finding> {
  const parameters = {
    code: 'a code that the doctor made up',
    redirect_uri: options.redirectUri,
    code_verifier: randomBytes(32).toString('base64url'),
  };
  try {
    await requestTokens({ discovered: async () => discovered }, 'authorization_code', parameters);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === 'ERR_OIDC_GRANT_REFUSED') return ok('client', 'its credentials are right');
    if (error.code === 'ERR_OIDC_CLIENT_REFUSED') {
      return fail(
        'client',
        'the OP refuses its credentials',
        'check client id and secret, how the client authenticates (tokenEndpointAuthMethod), and that the grant "authorization code" is enabled',
      );
    }
    return note('client', `cannot tell: ${error.message}`);
  }
  return fail(
    'client',
    'the OP gives tokens for a code that it never issued',
    'do not use this OP',
  );
}

interface WatchedClock {
  readonly fetch: typeof globalThis.fetch;
  findings(toleranceSeconds: number): Finding[];
}

/** Compares clocks by the header `Date` of what the OP answers, which is exact to a second. */
function watchClock(fetch: typeof globalThis.fetch, now: () => number): WatchedClock {
  let smallest: number | undefined;
  return {
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const date = Date.parse(response.headers.get('date') ?? '');
      const difference = (now() - date) / 1000;
      // A slow answer makes the difference larger, never smaller than it is.
      if (
        !Number.isNaN(difference) &&
        Math.abs(difference) < Math.abs(smallest ?? Number.POSITIVE_INFINITY)
      ) {
        smallest = difference;
      }
      return response;
    },
    findings(toleranceSeconds) {
      if (smallest === undefined)
        return [note('clock', 'the OP sends no Date, so clocks cannot be compared')];
      const seconds = Math.round(Math.abs(smallest));
      const found = `this machine is ${seconds} seconds ${smallest < 0 ? 'behind' : 'ahead of'} the OP`;
      return [
        seconds > toleranceSeconds
          ? fail(
              'clock',
              found,
              'set the clock of this machine (NTP): ID Tokens would be refused as expired, or as of the future',
            )
          : ok('clock', seconds <= 2 ? 'as the OP has it' : found),
      ];
    },
  };
}
