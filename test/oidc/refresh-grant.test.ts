import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { createProvider } from '../../lib/oidc/provider.ts';
import { type RefreshedTokens, refreshTokens } from '../../lib/oidc/refresh-grant.ts';
import { resolveTarget } from '../../lib/oidc/token-target.ts';
import { type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';
import { tokensOf } from '../support/tokens.ts';

const now = 1_800_000_000;
const base = { iss: 'https://op.example', sub: 'ada', aud: 'client', exp: now + 300, iat: now };

let key: CryptoKey;
let jwk: JWK;
let op: OpByFetch;
beforeEach(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  jwk = { ...(await exportJWK(pair.publicKey)), kid: '1', alg: 'ES256' };
});

/** A refresh of a login with some claims, answered by an ID Token with others. */
async function refresh(
  before: object,
  after: object,
  oidc: Partial<CommonOptions> = {},
  { target = {}, keys = () => Response.json({ keys: [jwk] }) } = {},
): Promise<RefreshedTokens> {
  op = opByFetch({ now: () => now * 1000, ...oidc });
  op.keys = () => Response.json({ keys: [jwk] });
  const provider = createProvider(op.options);
  await provider.discovered();
  op.keys = keys;
  const idToken = await new SignJWT({ ...base, ...after })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .sign(key);
  op.token = () => Response.json({ access_token: 'at', token_type: 'Bearer', id_token: idToken });
  const claims = { ...base, ...before } as ReturnType<typeof tokensOf>['claims'];
  const current = { ...tokensOf({ claims, scope: 'openid a b' }), refreshToken: 'rt' };
  return refreshTokens(current, provider, op.options, resolveTarget(target, op.options));
}

const gold = { acrValues: 'gold silver' };
const both = ['client', 'b'];

describe('Core 12.2 the claims of a refreshed ID Token', () => {
  it.each<[string, object, object, Partial<CommonOptions>]>([
    ['the same ones', {}, {}, {}],
    ['an auth_time, where there was none', {}, { auth_time: now - 60 }, {}],
    ['the same organization', { org_id: 'org_a' }, { org_id: 'org_a' }, {}],
    ['another acr that was asked for', { acr: 'gold' }, { acr: 'silver' }, gold],
    ['no acr', { acr: 'gold' }, {}, gold],
    ['another acr, where none was asked for', { acr: 'gold' }, { acr: 'lead' }, {}],
    ['the same aud, written otherwise', { aud: 'client' }, { aud: ['client'] }, {}],
  ])('are taken: %s', async (_what, before, after, oidc) => {
    const { grant } = await refresh(before, after, oidc);
    expect(grant.claims).toMatchObject({ sub: 'ada', ...before, ...after });
  });

  it.each<[string, object, object, Partial<CommonOptions>, string]>([
    ['another acr than was asked for', { acr: 'gold' }, { acr: 'lead' }, gold, 'ACR'],
    [
      'further aud, with the same azp',
      { azp: 'client' },
      { aud: both, azp: 'client' },
      {},
      'ID_TOKENS_AUD',
    ],
    ['an organization, where there was none', {}, { org_id: 'org_a' }, {}, 'ORGANIZATION'],
    ['another auth_time', { auth_time: now - 60 }, { auth_time: now }, {}, 'ID_TOKENS_AUTH_TIME'],
  ])('are refused: %s', async (_what, before, after, oidc, code) => {
    await expect(refresh(before, after, oidc)).rejects.toMatchObject({ code: `ERR_OIDC_${code}` });
  });
});

describe('a refresh whose ID Token cannot be verified', () => {
  it.each([
    ['the keys are down', () => new Response('busy', { status: 503 })],
    ['the keys are nonsense', () => new Response('keys')],
    ['the key is unknown', () => Response.json({ keys: [] })],
  ])('goes on with the claims of before, when %s', async (_why, keys) => {
    const before = { name: 'Ada' };
    const forget = { ...jwk, kid: 'gone' };
    jwk = forget;
    const { grant, access } = await refresh(before, { name: 'Eve' }, {}, { keys });
    expect(grant.claims['name']).toBe('Ada');
    expect(access.accessToken).toBe('at');
  });
});

describe('RFC 6749 5.1 the scope of a refresh', () => {
  it.each([
    ['as it was granted to the login', {}, 'openid a b'],
    ['as it was asked for', { scope: 'a' }, 'a'],
  ])('that the OP does not name is %s', async (_what, target, scope) => {
    const { access } = await refresh({}, {}, {}, { target });
    expect(access.scope).toBe(scope);
  });
});
