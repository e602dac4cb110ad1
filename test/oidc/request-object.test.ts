import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import {
  type HybridFlowOptions,
  hybridFlow,
  type RequestObjectOptions,
} from 'passport-oidc-hybrid';
import {
  type AuthorizationRequest,
  buildAuthorizationRequest,
} from '../../lib/oidc/authorization-request.ts';
import { createProvider } from '../../lib/oidc/provider.ts';
import { createTransaction } from '../../lib/oidc/transaction.ts';
import type { ClientCredentials, CommonOptions } from '../../lib/options.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const clientSecret = 'secret of the client, of more than 64 bytes, as HS512 wants it to be';

async function requestOf(
  requestObject: RequestObjectOptions,
  oidc: Partial<CommonOptions> = {},
  credentials: ClientCredentials = { clientSecret },
  claims: Record<string, unknown> = {},
  parameters: Record<string, string> = { login_hint: 'ada' },
): Promise<URLSearchParams> {
  const { options } = opByFetch({ requestObject, ...oidc }, credentials);
  const transaction = createTransaction(options, {
    responseMode: 'form_post',
    returnTo: '/',
    sessionId: undefined,
  });
  const request: AuthorizationRequest = await buildAuthorizationRequest(
    await createProvider(options).discovered(),
    options,
    transaction,
    { parameters, claims },
  );
  return new URL(request.url).searchParams;
}

describe('RFC 9101 the request object', () => {
  it('says what the request says, for the OP alone and for a short time', async () => {
    const now = 1_800_000_000_000;
    const parameters = await requestOf(
      {},
      {
        maxAge: 60,
        resource: ['https://a.example', 'https://b.example'],
        now: () => now,
        clockToleranceSeconds: 30,
      },
      undefined,
      { 'pi.template': { name: 'transaction' } },
    );
    const signed = parameters.get('request') ?? '';
    const { payload, protectedHeader } = await jwtVerify(signed, Buffer.from(clientSecret), {
      currentDate: new Date(now),
    });
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'oauth-authz-req+jwt' });
    const plain = Object.fromEntries(parameters);
    delete plain['request'];
    expect(payload).toEqual({
      ...plain,
      max_age: 60,
      resource: ['https://a.example', 'https://b.example'],
      'pi.template': { name: 'transaction' },
      iss: 'client',
      aud: 'https://op.example',
      iat: 1_800_000_000,
      nbf: 1_799_999_970,
      exp: 1_800_000_300,
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(plain).toMatchObject({ login_hint: 'ada', response_type: 'code id_token' });
  });

  it.each(['HS256', 'HS384', 'HS512'] as const)('is signed with the secret by %s', async (alg) => {
    const signed = (await requestOf({ alg, typ: 'JWT' })).get('request') ?? '';
    const { protectedHeader } = await jwtVerify(signed, Buffer.from(clientSecret));
    expect(protectedHeader).toEqual({ alg, typ: 'JWT' });
    await expect(jwtVerify(signed, Buffer.from(`${clientSecret}.`))).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    });
  });

  it('is never one that would authenticate this client', async () => {
    const refused = { code: 'ERR_OIDC_OPTION_INVALID', option: 'requestObject' };
    await expect(requestOf({}, {}, undefined, { sub: 'client' })).rejects.toMatchObject(refused);
    await expect(requestOf({}, {}, undefined, {}, { sub: 'client' })).rejects.toMatchObject(
      refused,
    );
    await expect(requestOf({}, {}, undefined, { sub: 'ada' })).resolves.toBeDefined();
  });

  const pairs = {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    ed: generateKeyPairSync('ed25519'),
  };

  it.each([
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'p256'],
    ['ES384', 'p384'],
    ['ES512', 'p521'],
    ['EdDSA', 'ed'],
  ] as const)('is signed with a key by %s, secret or not', async (alg, name) => {
    const { privateKey, publicKey } = pairs[name];
    const clientKey = { key: privateKey, alg, kid: 'k' };
    const request = await requestOf({}, {}, { clientSecret, clientKey });
    const signed = request.get('request') ?? '';
    expect(decodeProtectedHeader(signed)).toMatchObject({ alg, kid: 'k' });
    await expect(jwtVerify(signed, publicKey)).resolves.toBeDefined();
  });

  it('is signed with the secret where there is a key for something else', async () => {
    const request = await requestOf(
      { signedWith: 'client_secret' },
      {},
      {
        clientSecret,
        clientKey: pairs.p256.privateKey,
      },
    );
    expect(decodeProtectedHeader(request.get('request') ?? '').alg).toBe('HS256');
  });

  it.each([
    ['requestObject', 'yes'],
    ['requestObject.algo', { algo: 'HS256' }],
    ['requestObject.alg', { alg: 'none' }],
    ['requestObject.alg', { alg: 'RS256' }],
    ['requestObject.typ', { typ: '' }],
    ['requestObject.lifetimeSeconds', { lifetimeSeconds: 3601 }],
    ['requestObject.signedWith', { signedWith: 'nothing' }],
    ['clientKey', { signedWith: 'client_key' }],
    ['requestObject.claims', { claims: 'all' }],
    ['requestObject.claims.exp', { claims: { exp: 1 } }],
    ['requestObject.claims.state', { claims: { state: 'mine' } }],
    ['requestObject.claims.acr_values', { claims: { acr_values: 'weak' } }],
  ])('names %s when it is wrong: %j', (option, requestObject) => {
    const make = (): unknown =>
      hybridFlow({
        issuer: 'https://op.example',
        clientId: 'client',
        clientSecret,
        baseUrl: 'https://app.example',
        secret: 'a sealing secret that no message may show',
        requestObject,
      } as HybridFlowOptions);
    expect(make).toThrow(expect.objectContaining({ name: 'OptionsError', option }));
  });
});
