import { beforeAll, describe, expect, it } from '@jest/globals';
import { CompactSign, type CryptoKey, generateKeyPair } from 'jose';
import { type LogoutToken, verifyLogoutToken } from '../../lib/oidc/logout-token.ts';
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
  now: () => now * 1000,
};
const claims = {
  iss: 'https://op.example',
  aud: 'client',
  sub: 'ada',
  jti: 'one',
  iat: now,
  exp: now + 120,
  events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
};

let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
beforeAll(async () => {
  keys = await generateKeyPair('ES256');
});

async function verify(payload: string): Promise<LogoutToken> {
  const token = await new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt' })
    .sign(keys.privateKey);
  const provider = {
    metadata: { id_token_signing_alg_values_supported: ['ES256'] },
    keys: { find: async () => keys.publicKey },
  } as unknown as DiscoveredProvider;
  return verifyLogoutToken(token, provider, options);
}

const withClaims = (changed: object): string => JSON.stringify({ ...claims, ...changed });
const refusal = (check: string): object => ({ code: `ERR_OIDC_LOGOUT_TOKEN_${check}` });

describe('Back-Channel Logout 2.6 a Logout Token at its limits', () => {
  it.each([{}, { iat: now + 30 }, { exp: now - 29 }])('with %j is taken', async (changed) => {
    expect(await verify(withClaims(changed))).toMatchObject({ sub: 'ada', ...changed });
  });

  it.each([
    [{ iat: now + 31 }, 'IAT'],
    [{ iat: String(now) }, 'IAT'],
    [{ exp: now - 30 }, 'EXP'],
    [{ exp: null }, 'EXP'],
    [{ events: null }, 'EVENTS'],
    [{ events: 'http://schemas.openid.net/event/backchannel-logout' }, 'EVENTS'],
    [{ jti: '' }, 'JTI'],
    [{ aud: [] }, 'AUD'],
    [{ sub: null, sid: 'one' }, 'SUBJECT'],
    [{ sid: null }, 'SUBJECT'],
  ])('with %j is refused', async (changed, check) => {
    await expect(verify(withClaims(changed))).rejects.toMatchObject(refusal(check));
  });

  it.each([
    ['iat', '-1e999', 'IAT'],
    ['exp', '1e999', 'EXP'],
  ])('with a %s of %s, which is no finite number, is refused', async (name, text, check) => {
    const payload = withClaims({ [name]: 'here' }).replace('"here"', text);
    await expect(verify(payload)).rejects.toMatchObject(refusal(check));
  });
});
