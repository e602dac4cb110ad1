import { beforeAll, describe, expect, it } from '@jest/globals';
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose';
import {
  checkAuthorizationResponse,
  type ReceivedResponse,
  receiveAuthorizationResponse,
} from '../../lib/oidc/authorization-response.ts';
import type { DiscoveredProvider, Provider } from '../../lib/oidc/provider.ts';
import type { ResponseParameters } from '../../lib/oidc/response-parameters.ts';
import { createTransaction } from '../../lib/oidc/transaction.ts';
import { tokenHash } from '../../lib/testing/hash.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
beforeAll(async () => {
  keys = await generateKeyPair('ES256');
});

const { options } = opByFetch();

function receive(parameters: ResponseParameters, resolved = options): Promise<ReceivedResponse> {
  const provider = {
    discovered: async () => ({
      metadata: { id_token_signing_alg_values_supported: ['ES256'] },
      keys: { find: async () => keys.publicKey },
    }),
  } as unknown as Provider;
  return receiveAuthorizationResponse(parameters, 'form_post', provider, resolved);
}

function idToken(claims: object): Promise<string> {
  return new SignJWT({ nonce: 'n', ...claims })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(options.issuer)
    .setSubject('ada')
    .setAudience(options.clientId)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(keys.privateKey);
}

describe('an error of the OP', () => {
  it('has its texts cut at 500 characters', async () => {
    const long = 'x'.repeat(501);
    const received = await receive({
      state: 's',
      error: 'server_error',
      error_description: long,
      error_uri: long,
    });
    expect(received.error_description).toBe('x'.repeat(500));
    expect(received.error_uri).toBe('x'.repeat(500));
  });

  it.each([{}, { code: 'c' }])('without a state is told for what it is, with %j', async (more) => {
    await expect(receive({ ...more, error: 'access_denied' })).rejects.toMatchObject({
      code: 'ERR_OIDC_ACCESS_DENIED',
      status: 400,
    });
  });

  it('is not made of a code without a state', async () => {
    await expect(receive({ code: 'c' })).rejects.toMatchObject({ code: 'ERR_OIDC_STATE_MISSING' });
  });
});

describe('Core 3.3.2.11 the hashes of the front-channel ID Token', () => {
  const front = { code: 'c', state: 's', access_token: 'a', token_type: 'Bearer' };
  const right = { c_hash: tokenHash('c'), at_hash: tokenHash('a'), s_hash: tokenHash('s') };

  it('that are right are accepted, and no token is kept', async () => {
    const received = await receive({ ...front, id_token: await idToken(right) });
    expect(received).toMatchObject({ hadAccessToken: true, idToken: { sub: 'ada', nonce: 'n' } });
    expect(JSON.stringify(received)).not.toContain('eyJ');
  });

  it.each([
    [{ c_hash: 'wrong' }, 'C_HASH_MISMATCH', 'Core 3.3.2.10'],
    [{ c_hash: undefined }, 'C_HASH_MISSING', 'Core 3.3.2.10'],
    [{ at_hash: 'wrong' }, 'AT_HASH_MISMATCH', 'Core 3.3.2.9'],
    [{ at_hash: undefined }, 'AT_HASH_MISSING', 'Core 3.3.2.9'],
    [{ s_hash: 'wrong' }, 'S_HASH_MISMATCH', 'FAPI 1.0 Advanced 5.1.1'],
  ])('refused for %j name their clause', async (wrong, code, section) => {
    const id_token = await idToken({ ...right, ...wrong });
    await expect(receive({ ...front, id_token })).rejects.toMatchObject({
      code: `ERR_OIDC_${code}`,
      section,
    });
  });
});

describe('JARM 2.1 whether an answer is a JWT', () => {
  const jwtFlow = { ...options, responseMode: 'form_post.jwt' } as const;

  it('is looked at before its login is', async () => {
    const plain = { state: 's', code: 'c' };
    expect(await receive(plain)).toMatchObject(plain);
    await expect(receive(plain, jwtFlow)).rejects.toMatchObject({ code: 'ERR_OIDC_JARM_MISSING' });
    await expect(receive({ response: 'a JWT' })).rejects.toMatchObject({
      code: 'ERR_OIDC_JARM_UNEXPECTED',
    });
    await expect(receive({ response: 'a JWT' }, jwtFlow)).rejects.toMatchObject({
      code: 'ERR_OIDC_JARM_MALFORMED',
    });
  });

  it.each([
    ['form_post', 'form_post', undefined],
    ['form_post.jwt', 'form_post.jwt', undefined],
    ['form_post', 'form_post.jwt', 'ERR_OIDC_JARM_MISSING'],
    ['form_post.jwt', 'form_post', 'ERR_OIDC_JARM_UNEXPECTED'],
  ] as const)('by %s is as the login asked: %s', (mode, responseMode, refusal) => {
    const visitor = { responseMode, returnTo: '/', sessionId: undefined };
    const transaction = createTransaction({ ...options, responseType: 'code' }, visitor);
    const received = { mode, state: 's', code: 'c' } as ReceivedResponse;
    const provider = { metadata: { issuer: options.issuer } } as DiscoveredProvider;
    const check = () => checkAuthorizationResponse(received, transaction, provider, options);
    if (refusal === undefined) expect(check()).toEqual({ code: 'c', expectedSub: undefined });
    else expect(check).toThrow(expect.objectContaining({ code: refusal }));
  });
});

describe('RFC 9700 4.4 the tenant that a state names', () => {
  const parameters = { state: 'random~other', code: 'c' };

  it('is that of the flow, where it is of a tenant', async () => {
    expect(await receive(parameters, { ...options, tenant: 'other' })).toMatchObject(parameters);
    await expect(receive(parameters, { ...options, tenant: 'own' })).rejects.toMatchObject({
      code: 'ERR_OIDC_TENANT_MISMATCH',
    });
  });

  it('is no matter to a flow without tenants', async () => {
    expect(await receive(parameters)).toMatchObject(parameters);
  });
});
