import { beforeAll, describe, expect, it } from '@jest/globals';
import { CompactSign, type CryptoKey, generateKeyPair } from 'jose';
import { type IdToken, verifyIdToken } from '../../lib/oidc/id-token.ts';
import type { DiscoveredProvider } from '../../lib/oidc/provider.ts';
import { signatureAlgorithms } from '../../lib/options.ts';

const now = 1_800_000_000;
const options = {
  issuer: 'https://op.example',
  clientId: 'client',
  clockToleranceSeconds: 30,
  idTokenSignedResponseAlg: undefined,
  encryptionKeys: [],
  signatureAlgorithms,
  encryptedResponses: [],
  now: () => now * 1000,
};
const claims = { iss: 'https://op.example', sub: 'ada', aud: 'client', exp: now + 300, iat: now };

type Key = CryptoKey | Uint8Array;
let rsa: { privateKey: CryptoKey; publicKey: CryptoKey };
let ec: { privateKey: CryptoKey; publicKey: CryptoKey };
beforeAll(async () => {
  [rsa, ec] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('ES256')]);
});

/** Verifies a payload that was signed with `alg`, at an OP that offers some algorithms. */
async function verify(
  payload: string | Uint8Array,
  { alg = 'ES256', offered = ['ES256'] as string[] | null, keys = [] as Key[] } = {},
): Promise<IdToken> {
  const [signing = ec.privateKey, verifying = ec.publicKey] = keys;
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const token = await new CompactSign(bytes).setProtectedHeader({ alg }).sign(signing);
  const provider = {
    metadata: { id_token_signing_alg_values_supported: offered ?? undefined },
    keys: { find: async () => verifying },
  } as unknown as DiscoveredProvider;
  return verifyIdToken(token, provider, options);
}

const withClaims = (changed: object): string => JSON.stringify({ ...claims, ...changed });
const refusal = (check: string): object => ({ code: `ERR_OIDC_ID_TOKEN_${check}` });

describe('Core 3.1.3.7 (7) the algorithm', () => {
  it('is RS256, and no other, where the OP lists none', async () => {
    const keys = [rsa.privateKey, rsa.publicKey];
    const accepted = await verify(withClaims({}), { alg: 'RS256', offered: null, keys });
    expect(accepted).toMatchObject({ alg: 'RS256', claims: { sub: 'ada' } });
    await expect(verify(withClaims({}), { offered: null })).rejects.toMatchObject(refusal('ALG'));
  });

  it('is never symmetric, even where the OP offers that and the key would fit', async () => {
    const secret = Buffer.alloc(32, 1);
    await expect(
      verify(withClaims({}), { alg: 'HS256', offered: ['HS256'], keys: [secret, secret] }),
    ).rejects.toMatchObject(refusal('ALG'));
  });
});

describe('RFC 7519 7.2 the payload', () => {
  it.each(['[]', '[1]', 'null', '"text"', '1', '{'])('%s is malformed', async (payload) => {
    await expect(verify(payload)).rejects.toMatchObject(refusal('MALFORMED'));
  });

  it('that is no UTF-8 is malformed, and not mended', async () => {
    const bytes = Buffer.from(withClaims({ sub: 'adX' }));
    bytes[bytes.indexOf('X')] = 0xff;
    await expect(verify(bytes)).rejects.toMatchObject(refusal('MALFORMED'));
  });
});

describe('Core 3.1.3.7 (9, 10) times', () => {
  it.each([
    [{ exp: now - 30 }, 'EXP'],
    [{ iat: now + 31 }, 'IAT'],
    [{ nbf: now + 31 }, 'NBF'],
    [{ exp: null }, 'EXP'],
    [{ iat: null }, 'IAT'],
    [{ nbf: null }, 'NBF'],
  ])('%j is refused', async (times, code) => {
    await expect(verify(withClaims(times))).rejects.toMatchObject(refusal(code));
  });

  it.each([{ exp: now - 29 }, { iat: now + 30 }, { nbf: now + 30 }])(
    '%j is within the tolerance',
    async (times) => {
      expect(await verify(withClaims(times))).toMatchObject({ claims: times });
    },
  );

  it.each([
    ['exp', '1e999', 'EXP'],
    ['iat', '-1e999', 'IAT'],
    ['nbf', '-1e999', 'NBF'],
  ])('%s of %s, which is no finite number, is refused', async (name, text, code) => {
    const payload = withClaims({ [name]: 'here' }).replace('"here"', text);
    await expect(verify(payload)).rejects.toMatchObject(refusal(code));
  });
});
