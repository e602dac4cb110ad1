import { randomBytes } from 'node:crypto';
import * as client from 'openid-client';
import type { ResolvedOptions, TokenEndpointAuthMethod } from '../options.ts';
import { readSecretKey, type SigningKey } from '../signing-key.ts';
import { signJwt } from './signed-jwt.ts';

/** Seconds that an assertion is good for: one request. PingOne takes no more than an hour. */
const assertionSeconds = 60;

/**
 * How this client proves itself at the token endpoint.
 *
 * Without an option, by its key if it has no secret; with a secret, `client_secret_basic` where the OP
 * offers it or says nothing, because that is what a registration means by default; else
 * `client_secret_post`.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication Core 9}
 */
export function clientAuthentication(
  options: Pick<
    ResolvedOptions,
    | 'clientSecret'
    | 'clientKeys'
    | 'tokenEndpointAuthMethod'
    | 'tokenEndpointAuthSigningAlg'
    | 'now'
  >,
  offered: readonly string[] | undefined,
): client.ClientAuth {
  const secret = String(options.clientSecret);
  switch (options.tokenEndpointAuthMethod ?? defaultMethod(options, offered)) {
    case 'client_secret_basic':
      return client.ClientSecretBasic(secret);
    case 'client_secret_post':
      return client.ClientSecretPost(secret);
    case 'client_secret_jwt':
      return byAssertion(readSecretKey(secret, options.tokenEndpointAuthSigningAlg), options);
    case 'private_key_jwt': {
      const [key] = options.clientKeys;
      if (key === undefined) throw new TypeError('private_key_jwt has a key');
      return byAssertion(key, options);
    }
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      // The two differ in what the OP holds the certificate against.
      return client.TlsClientAuth();
    case 'none':
      return client.None();
  }
}

/**
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 RFC 7523 section 3}
 */
function byAssertion(key: SigningKey, { now }: Pick<ResolvedOptions, 'now'>): client.ClientAuth {
  return async ({ issuer }, { client_id }, body) => {
    const iat = Math.floor(now() / 1000);
    const assertion = await signJwt(
      {
        iss: client_id,
        sub: client_id,
        // The issuer alone: an assertion for one endpoint must be worth nothing at another OP.
        aud: issuer,
        jti: randomBytes(16).toString('base64url'),
        iat,
        exp: iat + assertionSeconds,
      },
      key,
    );
    body.set('client_id', client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', assertion);
  };
}

function defaultMethod(
  { clientSecret }: Pick<ResolvedOptions, 'clientSecret'>,
  offered: readonly string[] | undefined,
): TokenEndpointAuthMethod {
  if (clientSecret === undefined) return 'private_key_jwt';
  const isPostOnly =
    offered?.includes('client_secret_post') && !offered.includes('client_secret_basic');
  return isPostOnly ? 'client_secret_post' : 'client_secret_basic';
}
