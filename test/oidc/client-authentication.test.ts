import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { clientAuthentication } from '../../lib/oidc/client-authentication.ts';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { type FetchedRequest, type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';

const secret = 'secret of the client, of 32 bytes';

function newKey(): { pem: string; publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey };
}

async function tokenRequest(op: OpByFetch): Promise<FetchedRequest> {
  await requestTokens(createProvider(op.options), 'refresh_token', { refresh_token: 'rt' });
  const last = op.requests.at(-1);
  if (last === undefined) throw new Error('no request was made');
  return last;
}

describe('Core 9 client authentication', () => {
  it('by none names the client and sends no secret', async () => {
    const op = opByFetch({}, { tokenEndpointAuthMethod: 'none' });
    const { parameters, headers } = await tokenRequest(op);
    expect(parameters).toEqual({
      client_id: 'client',
      grant_type: 'refresh_token',
      refresh_token: 'rt',
    });
    expect(headers.get('authorization')).toBeNull();
  });

  it('by client_secret_jwt signs an assertion with the secret, and does not send it', async () => {
    const op = opByFetch(
      {},
      { clientSecret: secret, tokenEndpointAuthMethod: 'client_secret_jwt' },
    );
    const { parameters, headers } = await tokenRequest(op);
    expect(parameters['client_assertion_type']).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
    const assertion = parameters['client_assertion'] ?? '';
    expect(decodeProtectedHeader(assertion).alg).toBe('HS256');
    const { payload } = await jwtVerify(assertion, Buffer.from(secret), {
      issuer: 'client',
      subject: 'client',
      audience: 'https://op.example',
      requiredClaims: ['jti', 'exp', 'iat'],
    });
    expect(payload.sub).toBe('client');
    expect(headers.get('authorization')).toBeNull();
    expect(parameters['client_secret']).toBeUndefined();
  });

  it.each(['HS384', 'HS512'] as const)('by client_secret_jwt signs with %s', async (alg) => {
    const op = opByFetch(
      {},
      {
        clientSecret: secret.repeat(2),
        tokenEndpointAuthMethod: 'client_secret_jwt',
        tokenEndpointAuthSigningAlg: alg,
      },
    );
    const { parameters } = await tokenRequest(op);
    const verified = await jwtVerify(
      parameters['client_assertion'] ?? '',
      Buffer.from(secret.repeat(2)),
      { algorithms: [alg] },
    );
    expect(verified.protectedHeader.alg).toBe(alg);
  });

  it('by private_key_jwt signs with the first key, which it names, and for the issuer only', async () => {
    const [first, second] = [newKey(), newKey()];
    const op = opByFetch(
      {},
      {
        clientKey: [
          { key: first.pem, kid: 'new' },
          { key: second.pem, kid: 'old' },
        ],
      },
    );
    const { parameters, headers } = await tokenRequest(op);
    expect(parameters).toMatchObject({
      client_id: 'client',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const assertion = parameters['client_assertion'] ?? '';
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'ES256', kid: 'new', typ: 'JWT' });
    const { payload } = await jwtVerify(assertion, first.publicKey, {
      issuer: 'client',
      subject: 'client',
      requiredClaims: ['jti', 'iat'],
    });
    expect(payload.aud).toBe('https://op.example');
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
    expect(headers.get('authorization')).toBeNull();
    await expect(jwtVerify(assertion, second.publicKey)).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    });
  });

  it('by a key that is not there is no authentication at all', () => {
    const { options } = opByFetch();
    const keyless = { ...options, tokenEndpointAuthMethod: 'private_key_jwt' } as const;
    expect(() => clientAuthentication(keyless, undefined)).toThrow(TypeError);
  });

  it('never sends the same assertion twice', async () => {
    const op = opByFetch({}, { clientKey: newKey().pem });
    const [first, second] = [await tokenRequest(op), await tokenRequest(op)];
    const jti = ({ parameters }: FetchedRequest) =>
      decodeJwt(parameters['client_assertion'] ?? '').jti;
    expect(jti(first)).not.toBe(jti(second));
  });

  it('with a secret and a key uses the secret, as the key may be for request objects', async () => {
    const op = opByFetch({}, { clientSecret: secret, clientKey: newKey().pem });
    expect((await tokenRequest(op)).headers.get('authorization')).toMatch(/^Basic /);
  });

  it.each([
    [undefined, 'basic'],
    [['client_secret_post'], 'post'],
    [['client_secret_jwt'], 'basic'],
    [['client_secret_basic', 'client_secret_post'], 'basic'],
  ])('where the OP offers %j and nothing was chosen is %s', async (offered, used) => {
    const op = opByFetch();
    op.metadata['token_endpoint_auth_methods_supported'] = offered;
    const { parameters, headers } = await tokenRequest(op);
    expect(headers.has('authorization') ? 'basic' : 'none').toBe(
      used === 'basic' ? 'basic' : 'none',
    );
    expect(parameters['client_secret']).toBe(used === 'post' ? secret : undefined);
  });
});
