import { beforeAll, describe, expect, it } from '@jest/globals';
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose';
import {
  checkAuthorizationResponse,
  type ReceivedResponse,
  receiveAuthorizationResponse,
} from '../../lib/oidc/authorization-response.ts';
import type { DiscoveredProvider, Provider } from '../../lib/oidc/provider.ts';
import { createTransaction } from '../../lib/oidc/transaction.ts';
import { algorithmsOfProfile } from '../../lib/options/profiles.ts';
import type { Profile, ResponseType } from '../../lib/options.ts';
import { tokenHash } from '../../lib/testing/hash.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

type Alg = 'ES256' | 'RS256' | 'EdDSA';

let keys: Record<Alg, { privateKey: CryptoKey; publicKey: CryptoKey }>;
beforeAll(async () => {
  const [es, rs, ed] = await Promise.all(
    (['ES256', 'RS256', 'EdDSA'] as const).map((alg) => generateKeyPair(alg)),
  );
  if (!es || !rs || !ed) throw new Error('keys are missing');
  keys = { ES256: es, RS256: rs, EdDSA: ed };
});

const { options: plain } = opByFetch();
const optionsOf = (profile: Profile | undefined) => ({
  ...plain,
  profile,
  signatureAlgorithms: algorithmsOfProfile(profile),
});

const providerOf = (alg: Alg) =>
  ({
    metadata: { issuer: plain.issuer, id_token_signing_alg_values_supported: [alg] },
    keys: { find: async () => keys[alg].publicKey },
  }) as unknown as DiscoveredProvider;

/** The first step of an answer with a code and an ID Token. */
async function receive(
  profile: Profile | undefined,
  { alg = 'ES256' as Alg, hasStateHash = true } = {},
): Promise<ReceivedResponse> {
  const id_token = await new SignJWT({
    nonce: 'n',
    c_hash: tokenHash('c', alg),
    ...(hasStateHash ? { s_hash: tokenHash('s', alg) } : {}),
  })
    .setProtectedHeader({ alg })
    .setIssuer(plain.issuer)
    .setSubject('ada')
    .setAudience(plain.clientId)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(keys[alg].privateKey);
  const provider = { discovered: async () => providerOf(alg) } as unknown as Provider;
  const parameters = { code: 'c', state: 's', id_token };
  return receiveAuthorizationResponse(parameters, 'form_post', provider, optionsOf(profile));
}

describe('FAPI 1.0 Advanced 5.2.3.1 (3) s_hash', () => {
  it('has to be there with the profile, and need not be without', async () => {
    await expect(receive(undefined, { hasStateHash: false })).resolves.toBeDefined();
    await expect(receive('fapi1-advanced')).resolves.toBeDefined();
    await expect(receive('fapi1-advanced', { hasStateHash: false })).rejects.toMatchObject({
      code: 'ERR_OIDC_S_HASH_MISSING',
    });
  });
});

describe('FAPI 1.0 Advanced 8.6, FAPI 2.0 5.4.1 algorithms', () => {
  it.each<[Profile | undefined, Alg, boolean]>([
    [undefined, 'RS256', true],
    [undefined, 'EdDSA', true],
    ['fapi1-advanced', 'ES256', true],
    ['fapi1-advanced', 'RS256', false],
    ['fapi1-advanced', 'EdDSA', false],
    ['fapi2', 'ES256', true],
    ['fapi2', 'EdDSA', true],
    ['fapi2', 'RS256', false],
  ])('%s, %s: %s', async (profile, alg, isTaken) => {
    const received = receive(profile, { alg });
    if (isTaken) await expect(received).resolves.toBeDefined();
    else await expect(received).rejects.toMatchObject({ code: 'ERR_OIDC_ID_TOKEN_ALG' });
  });
});

describe('FAPI 2.0 5.3.3.2 (5) the parameter iss', () => {
  const check = (profile: Profile | undefined, change: Partial<ReceivedResponse>) => {
    const visitor = { responseMode: 'query', returnTo: '/', sessionId: undefined } as const;
    const responseType: ResponseType = 'code';
    const transaction = createTransaction({ ...plain, responseType }, visitor);
    const response: ReceivedResponse = {
      mode: 'query',
      state: transaction.state,
      iss: plain.issuer,
      code: 'c',
      error: undefined,
      error_description: undefined,
      error_uri: undefined,
      hadAccessToken: false,
      idToken: undefined,
      ...change,
    };
    return checkAuthorizationResponse(response, transaction, providerOf('ES256'), { profile });
  };

  it('has to be there, whatever the OP says of it in its discovery document', () => {
    expect(check('fapi2', {})).toMatchObject({ code: 'c' });
    expect(check(undefined, { iss: undefined })).toMatchObject({ code: 'c' });
    expect(() => check('fapi2', { iss: undefined })).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_ISS_MISSING' }),
    );
    expect(() => check('fapi2', { iss: 'https://evil.example' })).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_ISS_MISMATCH' }),
    );
  });
});
