import { randomBytes } from 'node:crypto';
import type { ServerMetadata } from 'openid-client';
import type { ClientCertificateOptions } from '../client-certificate.ts';
import { HybridFlowError } from '../errors.ts';
import { chooseResponseMode } from '../oidc/authorization-request.ts';
import { boundedFetch } from '../oidc/bounded-fetch.ts';
import { secondsAhead } from '../oidc/clock-difference.ts';
import { adviseOnMetadata } from '../oidc/metadata-advice.ts';
import { createMutualTls } from '../oidc/mutual-tls.ts';
import { createProvider, type DiscoveredProvider } from '../oidc/provider.ts';
import { isForIdTokens } from '../oidc/provider-keys.ts';
import { resolveOptions } from '../options/resolve-options.ts';
import type { HybridFlowOptions, ResolvedOptions, ResponseMode, ResponseType } from '../options.ts';
import { loadUndici } from '../undici.ts';
import { examineAuthentication, examineClient } from './client.ts';
import { type Finding, fail, note, ok } from './finding.ts';
import { nothingPushed, pushRequest } from './pushed-request.ts';
import { probeRedirectUri, requestParameters } from './redirect-uri.ts';

/** What is to be examined. */
export interface Patient {
  readonly issuer: string;
  readonly clientId: string;
  readonly baseUrl: string;
  readonly clientSecret?: string | undefined;
  /** As the client is registered. @default by what it has: a key, a certificate, a secret */
  readonly authMethod?: string | undefined;
  /** A private key: PEM, or the text of a JWK. */
  readonly clientKey?: string | undefined;
  readonly clientKeyAlg?: string | undefined;
  readonly clientKeyId?: string | undefined;
  readonly clientCertificate?: ClientCertificateOptions | undefined;
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
  const clock = watchClock(patient.fetch ?? ownFetch(patient), patient.now ?? Date.now);
  const options = readOptions(patient, clock.fetch);
  if (!('redirectUri' in options)) return [options];
  const { clientCertificate } = options;
  const provider = createProvider(options, clientCertificate && createMutualTls(clientCertificate));
  let discovered: DiscoveredProvider;
  try {
    discovered = await provider.discovered();
  } catch (error) {
    return [...examineBaseUrl(options), discoveryFailed(error, options)];
  }
  const mode = chooseResponseMode(discovered, options);
  const fetch = boundedFetch(options);
  const isTried = hasCredentials(patient);
  const client = isTried
    ? await examineClient(discovered, options)
    : note(
        'client',
        'not tried: no secret, key or certificate was given',
        'set CLIENT_SECRET to try it, or give --client-key or --certificate',
      );
  const isKnown = isTried && client.verdict !== 'fail';
  const request = requestParameters(options, mode);
  const pushed = isKnown ? await pushRequest(discovered, request, options) : nothingPushed;
  return [
    ...examineBaseUrl(options),
    ok('discovery', `${options.issuer} answers, and names itself so to the letter`),
    ...examineMetadata(discovered.metadata, options, mode),
    await examineKeys(discovered, fetch),
    ...clock.findings(options.clockToleranceSeconds),
    ...(await probeRedirectUri(discovered, options, pushed.parameters ?? request, fetch)),
    ...(isTried ? examineAuthentication(discovered.metadata, options) : []),
    client,
    ...pushed.findings,
  ];
}

/** Of undici, where it has to show a certificate: that of Node may be of another version than the connections. */
function ownFetch({ clientCertificate }: Patient): typeof globalThis.fetch {
  if (clientCertificate === undefined) return globalThis.fetch;
  const send = async (input: string, init: object): Promise<unknown> =>
    (await loadUndici()).fetch(input, init);
  return send as typeof globalThis.fetch;
}

function hasCredentials(patient: Patient): boolean {
  const { clientSecret, clientKey, clientCertificate, authMethod } = patient;
  return [clientSecret, clientKey, clientCertificate, authMethod].some((one) => one !== undefined);
}

function readOptions(patient: Patient, fetch: typeof globalThis.fetch): ResolvedOptions | Finding {
  const { responseType, responseMode, now, authMethod, clientKey, ...given } = patient;
  const { clientSecret, clientKeyAlg, clientKeyId, clientCertificate, ...others } = given;
  try {
    return resolveOptions({
      ...others,
      clientSecret,
      clientKey: clientKey && readKey(clientKey, clientKeyAlg, clientKeyId),
      clientCertificate,
      tokenEndpointAuthMethod: authMethod ?? methodOf(patient),
      responseType: responseType as ResponseType | undefined,
      responseMode: responseMode as ResponseMode | undefined,
      secret: randomBytes(32).toString('base64url'),
      fetch,
      now,
    } as HybridFlowOptions);
  } catch (error) {
    if (!(error instanceof HybridFlowError)) throw error;
    return fail('options', error.message, 'correct this one first; nothing else was looked at');
  }
}

/** `undefined` where it is by the secret, in the way that the OP lists. */
function methodOf({ clientSecret, clientKey, clientCertificate }: Patient): string | undefined {
  if (clientKey !== undefined) return 'private_key_jwt';
  if (clientSecret !== undefined) return undefined;
  return clientCertificate === undefined ? 'none' : 'tls_client_auth';
}

function readKey(text: string, alg: string | undefined, kid: string | undefined): object {
  let key: unknown = text;
  try {
    if (text.trimStart().startsWith('{')) key = JSON.parse(text);
  } catch {
    // What is no JSON is no key either, and the options say so without quoting it.
  }
  return { key, ...(alg === undefined ? {} : { alg }), ...(kid === undefined ? {} : { kid }) };
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
  if (metadata.code_challenge_methods_supported === undefined) {
    const found =
      'the OP lists no code challenge methods; S256 is sent all the same, and may be ignored';
    findings.push(note('PKCE', found));
  } else if (!isAgainst('OIDC_PKCE')) findings.push(ok('PKCE', 'S256 is offered'));
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

interface WatchedClock {
  readonly fetch: typeof globalThis.fetch;
  findings(toleranceSeconds: number): Finding[];
}

/** Compares clocks by the header `Date` of what the OP answers, which is exact to a second. */
function watchClock(fetch: typeof globalThis.fetch, now: () => number): WatchedClock {
  let smallest: number | undefined;
  return {
    fetch: async (input, init) => {
      const sentAt = now();
      const response = await fetch(input, init);
      const difference = secondsAhead(response.headers, sentAt, now());
      // A cache on the way may not say that it has kept an answer.
      if (
        Math.abs(difference ?? Number.POSITIVE_INFINITY) <
        Math.abs(smallest ?? Number.POSITIVE_INFINITY)
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
