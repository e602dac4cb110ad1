import { randomBytes, X509Certificate } from 'node:crypto';
import type { ServerMetadata } from 'openid-client';
import { HybridFlowError, ProviderError } from '../errors.ts';
import { adviseOnMetadata } from '../oidc/metadata-advice.ts';
import type { DiscoveredProvider } from '../oidc/provider.ts';
import { requestTokens } from '../oidc/token-endpoint.ts';
import type { ResolvedOptions } from '../options.ts';
import { type Finding, fail, note, ok } from './finding.ts';

const about = 'client auth';

/** What the OP says of the way in which this client proves itself, and what its key and certificate say. */
export function examineAuthentication(
  metadata: ServerMetadata,
  options: ResolvedOptions,
): Finding[] {
  const { tokenEndpointAuthMethod: method, clientKeys } = options;
  // What is against it is said with the rest of the discovery document.
  const against = adviseOnMetadata(metadata, options).map(({ code }) => code);
  const findings: Finding[] = [];
  if (method !== undefined && !against.includes('OIDC_AUTH_METHOD')) {
    const isListed = metadata.token_endpoint_auth_methods_supported?.includes(method);
    findings.push(
      isListed || method === 'none'
        ? ok(about, `"${method}"${isListed ? ' is offered' : ', without credentials'}`)
        : note(about, `the OP lists no client authentication; "${method}" is tried`),
    );
  }
  const [key] = clientKeys;
  if (key !== undefined && !against.includes('OIDC_AUTH_SIGNING_ALG')) {
    const name = key.kid === undefined ? 'without a "kid"' : 'with a "kid"';
    findings.push(ok('client key', `can be read; it signs by ${key.alg}, ${name}`));
  }
  return [...findings, ...examineCertificate(metadata, options)];
}

function examineCertificate(
  metadata: ServerMetadata,
  { clientCertificate, now }: ResolvedOptions,
): Finding[] {
  if (clientCertificate === undefined) return [];
  const { validFrom, validTo } = new X509Certificate(clientCertificate().cert);
  const isEarly = now() < Date.parse(validFrom);
  const isLate = now() > Date.parse(validTo);
  const valid = `is good from ${validFrom} to ${validTo}`;
  const isBound = metadata.tls_client_certificate_bound_access_tokens === true;
  return [
    isEarly || isLate
      ? fail(
          'certificate',
          `${isLate ? 'has expired' : 'is not good yet'}: it ${valid}`,
          'have it renewed, or set the clock of this machine',
        )
      : ok('certificate', `belongs to its key, and ${valid}`),
    isBound
      ? ok('certificate', 'the OP binds access tokens to it: see "certificateBoundAccessTokens"')
      : note('certificate', 'the OP does not say that it binds access tokens to certificates'),
  ];
}

/** Tries the client's credentials with a code that cannot be good. */
export async function examineClient(
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
    if (!(error instanceof HybridFlowError)) throw error;
    if (error.code === 'ERR_OIDC_GRANT_REFUSED') return ok('client', 'its credentials are right');
    if (error.code === 'ERR_OIDC_CLIENT_REFUSED') {
      return fail(
        'client',
        'the OP refuses its credentials',
        'check client id and secret or key, how the client authenticates (tokenEndpointAuthMethod), and that the grant "authorization code" is enabled',
      );
    }
    if (error instanceof ProviderError) return note('client', `cannot tell: ${error.message}`);
  }
  // Good ones or such as this library refuses.
  return fail(
    'client',
    'the OP gives tokens for a code that it never issued',
    'do not use this OP',
  );
}
