import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { encryptionKeys } from '../support/encryption-keys.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

const algorithms = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'];
const contents = ['A128CBC-HS256', 'A256GCM'];

/** An OP that encrypts all that it can for one key of the client. */
function start(
  name: keyof typeof encryptionKeys,
  alg: string,
  enc: string,
  oidc: Partial<CommonOptions> = {},
): Promise<CertifiedFlow> {
  const { privateKey, publicKey } = encryptionKeys[name];
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg, use: 'enc', kid: 'enc-1' };
  const key = { key: privateKey, alg, kid: 'enc-1' };
  return startCertifiedFlow({
    oidc: {
      resource: undefined,
      responseType: 'code id_token token',
      responseMode: 'form_post.jwt',
      loadUserinfo: true,
      clientEncryptionKey: key as CommonOptions['clientEncryptionKey'],
      encryptedResponses: ['idToken', 'userinfo', 'authorization'],
      ...oidc,
    },
    op: {
      features: {
        encryption: { enabled: true },
        jwtResponseModes: { enabled: true },
        jwtUserinfo: { enabled: true },
      },
      configuration: {
        enabledJWA: {
          idTokenEncryptionAlgValues: algorithms,
          idTokenEncryptionEncValues: contents,
          userinfoEncryptionAlgValues: algorithms,
          userinfoEncryptionEncValues: contents,
          authorizationEncryptionAlgValues: algorithms,
          authorizationEncryptionEncValues: contents,
        } as object,
      },
      client: {
        jwks: { keys: [jwk] },
        authorization_signed_response_alg: 'ES256',
        userinfo_signed_response_alg: 'ES256',
        id_token_encrypted_response_alg: alg,
        id_token_encrypted_response_enc: enc,
        userinfo_encrypted_response_alg: alg,
        userinfo_encrypted_response_enc: enc,
        authorization_encrypted_response_alg: alg,
        authorization_encrypted_response_enc: enc,
      },
    },
  });
}

describe('ID Tokens, UserInfo and answers that a certified OP encrypts', () => {
  it.each<[keyof typeof encryptionKeys, string, string]>([
    ['rsa', 'RSA-OAEP-256', 'A128CBC-HS256'],
    ['rsa', 'RSA-OAEP-256', 'A256GCM'],
    ['p256', 'ECDH-ES', 'A128CBC-HS256'],
    ['p256', 'ECDH-ES+A256KW', 'A256GCM'],
    ['x25519', 'ECDH-ES+A256KW', 'A256GCM'],
  ])('for a key %s, by %s and %s: sign in, refresh, sign out', async (name, alg, enc) => {
    flow = await start(name, alg, enc);
    const browser = new Browser();
    const arrival = await browser.navigate(`${flow.baseUrl}/profile`);
    expect(json(arrival)).toMatchObject({ sub: 'ada' });
    flow.clock.advance(31);
    expect((await browser.fetch(`${flow.baseUrl}/profile`)).status).toBe(200);
    expect(flow.op.grants.refresh_token).toBe(1);
    const logout = { method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl } as const;
    const left = await browser.navigate(logout);
    // The OP verifies the hint, or it would not send the browser back.
    expect(left).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
  });

  it('are refused without the key', async () => {
    const nothing = { clientEncryptionKey: undefined, encryptedResponses: undefined };
    flow = await start('rsa', 'RSA-OAEP-256', 'A256GCM', nothing);
    const refused = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_JARM_ENCRYPTED']);
  });

  it('are refused without encryption where they have to have it', async () => {
    const { privateKey } = encryptionKeys.rsa;
    flow = await startCertifiedFlow({
      oidc: {
        clientEncryptionKey: { key: privateKey, alg: 'RSA-OAEP-256' },
        responseType: 'code id_token',
      },
    });
    const refused = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_UNENCRYPTED']);
  });

  it('are refused for another key', async () => {
    const clientEncryptionKey = { key: encryptionKeys.p521.privateKey, alg: 'ECDH-ES' } as const;
    flow = await start('p256', 'ECDH-ES', 'A256GCM', { clientEncryptionKey });
    const refused = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_JWE_DECRYPTION']);
  });
});
