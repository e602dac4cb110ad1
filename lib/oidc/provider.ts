import * as client from 'openid-client';
import { ProviderError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { loadUndici } from '../undici.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { clientAuthentication } from './client-authentication.ts';
import { secondsAhead } from './clock-difference.ts';
import { createDpopProofs, type DpopProofs } from './dpop.ts';
import { setIdTokenAside } from './id-token-aside.ts';
import type { MutualTls } from './mutual-tls.ts';
import { type ProviderKeys, providerKeys } from './provider-keys.ts';
import type { FoundProvider } from './start-up-warnings.ts';
import { translateError } from './translate-error.ts';

/** Metadata older than this is fetched again in the background, while the old one serves. */
const maxAgeSeconds = 3600;

/** A refresh may take as many times `httpTimeoutSeconds`; nobody has to wait for it so long. */
const patience = 6;

/** After a failure everybody gets the same answer for so long, and the OP is left in peace. */
const pauseSeconds = 1;

/** What is known of the OP after discovery. */
export interface DiscoveredProvider {
  readonly configuration: client.Configuration;
  /** For refreshes: waits longer, as an answer that is not waited for takes the login with it. */
  readonly patientConfiguration: client.Configuration;
  readonly metadata: Readonly<client.ServerMetadata>;
  readonly authorizationEndpoint: string;
  readonly keys: ProviderKeys;
  /** Thumbprint of the certificate that access tokens have to be bound to. */
  readonly boundTo: (() => string) | undefined;
  readonly dpop: DpopProofs;
  /** A configuration of its own for one request, whose `fetch` is changed. */
  configure(isPatient: boolean, change: (fetch: FetchOp) => FetchOp): client.Configuration;
}

/** As openid-client calls it. */
export type FetchOp = (url: string, init?: object) => Promise<Response>;

/** The OP, discovered when first needed. */
export interface Provider {
  /**
   * What discovery found: cached, fetched once for everybody who waits, tried again after a failure.
   *
   * @throws {@link ProviderError} when the OP cannot be reached or its document cannot be used
   */
  discovered(): Promise<DiscoveredProvider>;
  readonly dpop: DpopProofs;
}

/**
 * @param heed is told what has been found, each time that the discovery document has been fetched
 * @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig Discovery 4}
 */
export function createProvider(
  options: ResolvedOptions,
  mutualTls?: MutualTls,
  heed: (found: FoundProvider) => void = () => {},
): Provider {
  let current: DiscoveredProvider | undefined;
  let discoveredAt = 0;
  let pending: Promise<DiscoveredProvider> | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  // At start-up, so that nobody's login waits for it; a failure comes again where it is used.
  if (options.customFetch === undefined) loadUndici().catch(() => undefined);
  const dpop = createDpopProofs(options);

  const refresh = (): Promise<DiscoveredProvider> => {
    pending ??= discover(options, mutualTls, dpop)
      .then(async ({ found, ahead }) => {
        // The keys at hand survive a refresh, so that an outage of jwks_uri stays harmless.
        if (current !== undefined && current.metadata.jwks_uri === found.metadata.jwks_uri) {
          current = { ...found, keys: current.keys };
        } else {
          await found.keys.preload();
          current = found;
        }
        const { metadata, keys } = current;
        heed({ metadata, secondsAhead: ahead, keys: keys.published() });
        return current;
      })
      .catch((error: unknown) => {
        failure = { error, at: options.now() };
        throw error;
      })
      .finally(() => {
        discoveredAt = options.now();
        pending = undefined;
      });
    return pending;
  };

  return {
    dpop,
    async discovered() {
      if (current === undefined) {
        if (failure && options.now() - failure.at < pauseSeconds * 1000) throw failure.error;
        return refresh();
      }
      if (options.now() - discoveredAt > maxAgeSeconds * 1000) {
        // Stale if error: the old document serves on, and the next hour tries again.
        refresh().catch(() => undefined);
      }
      return current;
    },
  };
}

async function discover(
  options: ResolvedOptions,
  mutualTls: MutualTls | undefined,
  dpop: DpopProofs,
): Promise<{ found: DiscoveredProvider; ahead: number | undefined }> {
  const fetch = boundedFetch(options, undefined, mutualTls);
  let ahead: number | undefined;
  const watchedFetch = async (url: string, init?: object): Promise<Response> => {
    const sentAt = options.now();
    const response = await fetch(url, init);
    ahead = secondsAhead(response.headers, sentAt, options.now());
    return response;
  };
  const issuer = new URL(options.issuer);
  const isInsecureAllowed = options.allowInsecureRequests || issuer.protocol === 'http:';
  const extensions = isInsecureAllowed ? [client.allowInsecureRequests] : [];
  let document: client.Configuration;
  try {
    document = await client.discovery(issuer, options.clientId, undefined, client.None(), {
      [client.customFetch]: watchedFetch,
      timeout: options.httpTimeoutSeconds + 1,
      execute: extensions,
    });
  } catch (error) {
    // openid-client compares the issuers as well, with this code.
    const { code } = error as { code?: unknown };
    if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') throw otherIssuer(options);
    throw translateError(error, 'discovery', options.issuer);
  }
  const metadata = Object.freeze(withAliases(withoutNulls(document.serverMetadata()), mutualTls));
  checkMetadata(metadata, options, isInsecureAllowed);
  const configure: DiscoveredProvider['configure'] = (isPatient, change) => {
    const timeoutSeconds = options.httpTimeoutSeconds * (isPatient ? patience : 1);
    // Known only now: how this client authenticates depends on what the OP offers.
    const configuration = new client.Configuration(
      metadata,
      options.clientId,
      undefined,
      clientAuthentication(options, metadata.token_endpoint_auth_methods_supported),
    );
    const { customFetch } = options;
    configuration[client.customFetch] = change(
      boundedFetch({ customFetch, httpTimeoutSeconds: timeoutSeconds }, setIdTokenAside, mutualTls),
    );
    configuration.timeout = timeoutSeconds + 1;
    if (isInsecureAllowed) client.allowInsecureRequests(configuration);
    return configuration;
  };

  const found = {
    configuration: configure(false, (unchanged) => unchanged),
    patientConfiguration: configure(true, (unchanged) => unchanged),
    configure,
    dpop,
    metadata,
    authorizationEndpoint: String(metadata.authorization_endpoint),
    boundTo: options.certificateBoundAccessTokens ? mutualTls?.thumbprint : undefined,
    keys: providerKeys(String(metadata.jwks_uri), fetch, options),
  };
  return { found, ahead };
}

/** Some OPs write null where RFC 8414 3.2 has members left out, and defaults are for what is left out. */
function withoutNulls(metadata: client.ServerMetadata): client.ServerMetadata {
  const present = Object.entries(metadata).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(present), issuer: metadata.issuer };
}

/** Endpoints that the client itself calls, as itself. */
const clientEndpoints = [
  'token_endpoint',
  'revocation_endpoint',
  'userinfo_endpoint',
  'pushed_authorization_request_endpoint',
] as const;

/**
 * The endpoints at which a client with a certificate is to show it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-5 RFC 8705 section 5}
 */
function withAliases(
  metadata: client.ServerMetadata,
  mutualTls: MutualTls | undefined,
): client.ServerMetadata {
  const aliases = metadata.mtls_endpoint_aliases ?? {};
  if (mutualTls === undefined) return metadata;
  const named = clientEndpoints.filter((name) => aliases[name] !== undefined);
  return { ...metadata, ...Object.fromEntries(named.map((name) => [name, aliases[name]])) };
}

/** Lists of the discovery document that are read here, or by what comes after. */
const lists = [
  'response_types_supported',
  'response_modes_supported',
  'scopes_supported',
  'code_challenge_methods_supported',
  'id_token_signing_alg_values_supported',
  'userinfo_signing_alg_values_supported',
  'authorization_signing_alg_values_supported',
  'token_endpoint_auth_methods_supported',
] as const;

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function checkMetadata(
  metadata: client.ServerMetadata,
  options: ResolvedOptions,
  isInsecureAllowed: boolean,
): void {
  // Discovery 4.3: the issuer MUST be exactly the one that was asked for. openid-client compares
  // URLs, which are equal where the strings differ in a slash, and ID Tokens then would not match.
  if (metadata.issuer !== options.issuer) throw otherIssuer(options);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const value: unknown = metadata[name];
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isInsecureAllowed)) continue;
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'discovery',
      `the discovery document needs "${name}", an https URL`,
    );
  }
  for (const name of lists) {
    if (metadata[name] === undefined || isListOfNames(metadata[name])) continue;
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'discovery',
      `"${name}" of the discovery document must be a list of names`,
    );
  }
  const proofs = metadata.dpop_signing_alg_values_supported;
  if (options.dpop !== undefined && Array.isArray(proofs) && !proofs.includes(options.dpop)) {
    // RFC 9449 5.1. An OP that says nothing of it shows by the token_type whether it binds tokens.
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'discovery',
      `the OP does not take DPoP proofs by ${options.dpop}: see dpop_signing_alg_values_supported of its discovery document`,
    );
  }
  const isBinding = metadata.tls_client_certificate_bound_access_tokens === true;
  if (options.certificateBoundAccessTokens && !isBinding) {
    // RFC 8705 3.3: false where it is left out.
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'discovery',
      'the discovery document does not say tls_client_certificate_bound_access_tokens, and "certificateBoundAccessTokens" wants it',
    );
  }
}

/**
 * Whether an endpoint may be given what the OP's others are given: https, or plain http where the
 * issuer is.
 */
export function isAsGoodAsIssuer(
  url: unknown,
  { metadata }: Pick<DiscoveredProvider, 'metadata'>,
): url is string {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return protocol === 'https:' || protocol === new URL(metadata.issuer).protocol;
}

function otherIssuer(options: ResolvedOptions): ProviderError {
  return new ProviderError(
    'ERR_OIDC_DISCOVERY_ISSUER',
    'discovery',
    `the discovery document names another issuer than the option "issuer", which is "${options.issuer}"; the two must be the same to the letter, a slash at the end included`,
  );
}
