import { beforeAll, describe, expect, it } from '@jest/globals';
import { CompactSign, type CryptoKey, generateKeyPair } from 'jose';
import type { Provider } from '../../lib/oidc/provider.ts';
import { openResponseJwt } from '../../lib/oidc/response-jwt.ts';
import type { ResponseParameters } from '../../lib/oidc/response-parameters.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const now = 1_800_000_000;
const { options } = opByFetch({ now: () => now * 1000, clockToleranceSeconds: 30 });
const claims = { iss: 'https://op.example', aud: 'client', exp: now + 60, state: 's', code: 'c' };

let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
beforeAll(async () => {
  keys = await generateKeyPair('RS256');
});

async function open(payload: string, metadata: object = {}): Promise<ResponseParameters> {
  const jwt = await new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'RS256' })
    .sign(keys.privateKey);
  const found = { metadata, keys: { find: async () => keys.publicKey } };
  const provider = { discovered: async () => found } as unknown as Provider;
  return openResponseJwt(jwt, provider, options);
}

const withClaims = (changed: object): string => JSON.stringify({ ...claims, ...changed });

describe('JARM 2.4 the times of an answer', () => {
  it.each([{}, { exp: now - 29 }, { nbf: now + 30 }])('with %j are taken', async (changed) => {
    expect(await open(withClaims(changed))).toMatchObject({ state: 's', code: 'c' });
  });

  it.each([
    [{ exp: now - 30 }, 'EXP'],
    [{ exp: null }, 'EXP'],
    [{ nbf: now + 31 }, 'NBF'],
    [{ nbf: null }, 'NBF'],
  ])('with %j are refused', async (changed, check) => {
    await expect(open(withClaims(changed))).rejects.toMatchObject({
      code: `ERR_OIDC_JARM_${check}`,
    });
  });

  it.each([
    ['exp', '1e999', 'EXP'],
    ['nbf', '-1e999', 'NBF'],
  ])('with a %s of %s, which is no finite number, are refused', async (name, text, check) => {
    const payload = withClaims({ [name]: 'here' }).replace('"here"', text);
    await expect(open(payload)).rejects.toMatchObject({ code: `ERR_OIDC_JARM_${check}` });
  });
});

describe('JARM 2.4 (3) whom an answer is for', () => {
  it.each([{}, { aud: ['client'] }, { aud: ['other', 'client'] }])('%j is us', async (changed) => {
    expect(await open(withClaims(changed))).toMatchObject({ state: 's', code: 'c' });
  });

  it.each([
    [{ iss: 'https://other.example' }, 'ISS'],
    [{ iss: undefined }, 'ISS'],
    [{ aud: 'other' }, 'AUD'],
    [{ aud: ['other'] }, 'AUD'],
    [{ aud: undefined }, 'AUD'],
  ])('%j is not', async (changed, check) => {
    await expect(open(withClaims(changed))).rejects.toMatchObject({
      code: `ERR_OIDC_JARM_${check}`,
    });
  });
});

describe('JARM 4 the algorithms that the OP lists', () => {
  it.each([[undefined], [['RS256']], ['RS256 as text, which is no list']])(
    'may be %j for a signature by RS256',
    async (offered) => {
      const metadata = { authorization_signing_alg_values_supported: offered };
      expect(await open(withClaims({}), metadata)).toMatchObject({ code: 'c' });
    },
  );

  it('are the only ones', async () => {
    const metadata = { authorization_signing_alg_values_supported: ['ES256'] };
    await expect(open(withClaims({}), metadata)).rejects.toMatchObject({
      code: 'ERR_OIDC_JARM_ALG',
    });
  });
});
