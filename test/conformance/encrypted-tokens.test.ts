import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompactEncrypt } from 'jose';
import type { CommonOptions } from 'passport-oidc-hybrid';
import type { Encryption, IdTokenLie, Lies } from '../../lib/testing/lies.ts';
import { encryptionKeys } from '../support/encryption-keys.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import { channels, expectRefusal } from '../support/refusals.ts';

let flow: Flow;

const { rsa } = encryptionKeys;
const registered: Encryption = { key: rsa.publicKey, alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' };
const withKey: Partial<CommonOptions> = { clientEncryptionKey: rsa.privateKey };

async function start(oidc: Partial<CommonOptions>, encryption = registered): Promise<Flow> {
  const started = await startFlow({ oidc });
  started.op.encrypts = { idToken: encryption };
  return started;
}

/** Another first part of a JWE, which says something else about it. */
const withHeader =
  (change: Record<string, unknown>) =>
  (jwe: string): string => {
    const [header = '', ...rest] = jwe.split('.');
    const before = JSON.parse(Buffer.from(header, 'base64url').toString());
    const after = Buffer.from(JSON.stringify({ ...before, ...change })).toString('base64url');
    return [after, ...rest].join('.');
  };

/** A JWE with one bit changed in one of its parts. */
const withChangedPart =
  (index: number) =>
  (jwe: string): string => {
    const parts = jwe.split('.');
    const bytes = Buffer.from(parts[index] ?? '', 'base64url');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    parts[index] = bytes.toString('base64url');
    return parts.join('.');
  };

describe('Core 10.2 encrypted ID Tokens', () => {
  afterEach(() => flow.close());

  it.each<[keyof typeof encryptionKeys, string, string]>([
    ['rsa', 'RSA-OAEP-256', 'A128CBC-HS256'],
    ['rsa', 'RSA-OAEP-256', 'A256GCM'],
    ['rsa', 'RSA-OAEP-512', 'A256CBC-HS512'],
    ['rsa', 'RSA-OAEP', 'A128GCM'],
    ['p256', 'ECDH-ES', 'A128CBC-HS256'],
    ['p256', 'ECDH-ES+A256KW', 'A256GCM'],
    ['p521', 'ECDH-ES+A128KW', 'A128CBC-HS256'],
    ['x25519', 'ECDH-ES+A256KW', 'A256GCM'],
  ])('of both channels, for a key %s by %s and %s', async (name, alg, enc) => {
    const { privateKey, publicKey } = encryptionKeys[name];
    flow = await start(
      {
        responseType: 'code id_token token',
        clientEncryptionKey: { key: privateKey, alg } as CommonOptions['clientEncryptionKey'],
      },
      { key: publicKey, alg, enc },
    );
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const idTokens = flow.op.handedOut.filter((token) => token.split('.').length === 5);
    expect(idTokens).toHaveLength(2);
  });

  it('are decrypted before they are a hint at logout (RP-Initiated Logout 4)', async () => {
    flow = await start(withKey);
    await flow.signIn();
    const url = `${flow.baseUrl}/logout`;
    await flow.browser.navigate({ method: 'GET', url, from: flow.baseUrl });
    const { id_token_hint = '' } = flow.op.lastRequest('/end_session').parameters;
    const [, payload = '', ...rest] = id_token_hint.split('.');
    expect(rest).toHaveLength(1);
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ sub: 'ada' });
  });

  it('come by a refresh as well, which has to bring them encrypted', async () => {
    flow = await start(withKey);
    await flow.signIn();
    flow.clock.advance(3600);
    expect((await flow.browser.fetch(`${flow.baseUrl}/private`)).status).toBe(200);
    expect(flow.op.refreshes.granted).toBe(1);
    flow.op.lie({ refreshedIdToken: { encrypted: 'not' } });
    flow.clock.advance(3600);
    const ended = await flow.browser.fetch(`${flow.baseUrl}/private`);
    expect([ended.status, errorCode(ended)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
  });

  it('may be for any key of several, with and without a kid', async () => {
    const { p256 } = encryptionKeys;
    flow = await start({
      clientEncryptionKey: [
        { key: rsa.privateKey, kid: 'old' },
        { key: p256.privateKey, kid: 'new' },
      ],
    });
    const next = { key: p256.publicKey, alg: 'ECDH-ES', enc: 'A256GCM' };
    for (const encryption of [registered, { ...registered, kid: 'old' }, next]) {
      flow.op.encrypts = { idToken: encryption };
      expect(await flow.signIn()).toMatchObject({ status: 200 });
    }
    expect(flow.oidc.jwks().keys).toEqual([
      expect.objectContaining({ kty: 'RSA', use: 'enc', kid: 'old', alg: 'RSA-OAEP-256' }),
      expect.objectContaining({ kty: 'EC', use: 'enc', kid: 'new', alg: 'ECDH-ES' }),
    ]);
    expect(JSON.stringify(flow.oidc.jwks())).not.toMatch(/"[dpq]":/);
  });

  it('are for the key that their kid names, and for no other', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
    flow = await start({
      clientEncryptionKey: [
        { key: rsa.privateKey, kid: 'a' },
        { key: other.privateKey, kid: 'b' },
      ],
    });
    flow.op.encrypts = { idToken: { ...registered, kid: 'a' } };
    await expectRefusal(
      flow,
      { backIdToken: { encrypted: { ...registered, kid: 'b' } } },
      'JWE_DECRYPTION',
    );
  });

  it('need not be encrypted yet where encryptedResponses does not name them', async () => {
    flow = await start({ ...withKey, encryptedResponses: [] });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    flow.op.encrypts = {};
    flow.clock.advance(1);
    expect(await flow.browser.navigate(`${flow.baseUrl}/login`)).toMatchObject({ status: 200 });
  });
});

const secret = Buffer.alloc(32, 7);
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const inParts = (change: Partial<Encryption>): IdTokenLie => ({
  encrypted: { ...registered, ...change },
});

describe.each(channels)('$name, refuses', ({ oidc, place }) => {
  beforeAll(async () => {
    flow = await start({ ...oidc, ...withKey });
  });
  afterAll(() => flow.close());

  it.each<[string, IdTokenLie, string]>([
    ['what is not encrypted', { encrypted: 'not' }, 'ID_TOKEN_UNENCRYPTED'],
    ['what is for another key', inParts({ key: foreign }), 'JWE_DECRYPTION'],
    ['another algorithm of the key', inParts({ alg: 'RSA-OAEP' }), 'JWE_ALG'],
    ['another algorithm in words', { tampered: withHeader({ alg: 'RSA-OAEP-512' }) }, 'JWE_ALG'],
    ['a shared secret', inParts({ key: secret, alg: 'dir', enc: 'A256GCM' }), 'JWE_ALG'],
    ['a wrapping secret', inParts({ key: secret, alg: 'A256KW' }), 'JWE_ALG'],
    ['a password', inParts({ key: secret, alg: 'PBES2-HS256+A128KW' }), 'JWE_ALG'],
    ['RSA1_5', { tampered: withHeader({ alg: 'RSA1_5' }) }, 'JWE_ALG'],
    ['content that is not authenticated', { tampered: withHeader({ enc: 'A128CBC' }) }, 'JWE_ALG'],
    ['no algorithm', { tampered: withHeader({ alg: undefined }) }, 'JWE_ALG'],
    ['a changed header', { tampered: withHeader({ cty: 'jwt' }) }, 'JWE_DECRYPTION'],
    ['compressed content', { tampered: withHeader({ zip: 'DEF' }) }, 'JWE_DECRYPTION'],
    ['a critical extension', { tampered: withHeader({ crit: ['exp'], exp: 1 }) }, 'JWE_DECRYPTION'],
    ['a changed key', { tampered: withChangedPart(1) }, 'JWE_DECRYPTION'],
    ['a changed IV', { tampered: withChangedPart(2) }, 'JWE_DECRYPTION'],
    ['changed content', { tampered: withChangedPart(3) }, 'JWE_DECRYPTION'],
    ['a changed tag', { tampered: withChangedPart(4) }, 'JWE_DECRYPTION'],
    ['five parts of nothing', { raw: 'a.b.c.d.e' }, 'JWE_DECRYPTION'],
    ['what is not signed inside', { signedWith: 'none' }, 'ID_TOKEN_ALG'],
    ['a foreign signature inside', { signedWith: 'foreign_key' }, 'ID_TOKEN_SIGNATURE'],
    ['another issuer inside', { claims: { iss: 'https://evil.example' } }, 'ID_TOKEN_ISS'],
  ])('%s', async (_what, lie, code) => {
    await expectRefusal(flow, { [place]: lie }, code);
  });
});

describe('hashes', () => {
  afterEach(() => flow.close());

  it.each(['c_hash', 'at_hash'])('%s is inside, and checked there', async (claim) => {
    flow = await start({ ...withKey, responseType: 'code id_token token' });
    const code = `${claim.toUpperCase()}_MISMATCH`;
    await expectRefusal(flow, { frontIdToken: { claims: { [claim]: 'wrong' } } }, code);
  });
});

describe('encrypted answers of other kinds', () => {
  afterEach(() => flow.close());

  it('are refused without a key to decrypt them', async () => {
    flow = await startFlow({ oidc: { responseMode: 'form_post.jwt', loadUserinfo: true } });
    const rows: [Lies, string][] = [
      [{ responseJwt: { encrypted: registered } }, 'JARM_ENCRYPTED'],
      [{ frontIdToken: { encrypted: registered } }, 'ID_TOKEN_ENCRYPTED'],
      [{ signedUserinfo: { encrypted: registered } }, 'USERINFO_ENCRYPTED'],
    ];
    for (const [lies, code] of rows) await expectRefusal(flow, lies, code);
  });

  const all = ['idToken', 'userinfo', 'authorization'] as const;

  it('are taken with one, and refused plain where they are to come encrypted', async () => {
    flow = await start({
      ...withKey,
      responseMode: 'form_post.jwt',
      loadUserinfo: true,
      encryptedResponses: all,
    });
    flow.op.encrypts = { idToken: registered, userinfo: registered, authorization: registered };
    flow.op.lie({ signedUserinfo: {} });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const rows: [Lies, string][] = [
      [{ responseJwt: { encrypted: 'not' } }, 'JARM_UNENCRYPTED'],
      [{ backIdToken: { encrypted: 'not' } }, 'ID_TOKEN_UNENCRYPTED'],
      [{ signedUserinfo: { encrypted: 'not' } }, 'USERINFO_UNENCRYPTED'],
      [{}, 'USERINFO_UNENCRYPTED'],
      [{ responseJwt: { encrypted: { ...registered, key: foreign } } }, 'JWE_DECRYPTION'],
      [{ responseJwt: { signedWith: 'foreign_key' } }, 'JARM_SIGNATURE'],
      [{ signedUserinfo: { encrypted: { ...registered, key: foreign } } }, 'JWE_DECRYPTION'],
      [{ signedUserinfo: { claims: { sub: 'eve' } } }, 'USERINFO_SUB'],
    ];
    for (const [lies, code] of rows) {
      flow.op.honest();
      flow.op.lie({ signedUserinfo: {}, ...lies });
      if (Object.keys(lies).length === 0) flow.op.honest();
      const refused = await flow.browser.navigate(`${flow.baseUrl}/login`);
      expect([code, refused.status, errorCode(refused)]).toEqual([code, 400, `ERR_OIDC_${code}`]);
    }
  });

  it('UserInfo may be encrypted without a signature, unless one is registered', async () => {
    const raw = await new CompactEncrypt(Buffer.from('{"sub":"ada","name":"Ada"}'))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
      .encrypt(rsa.publicKey);
    const oidc = { ...withKey, encryptedResponses: all, loadUserinfo: true } as const;
    flow = await start(oidc);
    flow.op.lie({ signedUserinfo: { raw } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.close();
    flow = await start({ ...oidc, userinfoSignedResponseAlg: 'ES256' });
    flow.op.lie({ signedUserinfo: { raw } });
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_USERINFO_UNSIGNED']);
  });
});

describe('Back-Channel Logout 2.4 a Logout Token', () => {
  afterEach(() => flow.close());

  it('may be encrypted as ID Tokens are', async () => {
    flow = await start({ ...withKey, backchannelLogout: true });
    await flow.signIn();
    const post = async (lie: IdTokenLie): Promise<number> => {
      const body = new URLSearchParams({ logout_token: await flow.op.logoutToken(lie) });
      const init = { method: 'POST', body } as const;
      return (await fetch(`${flow.baseUrl}/backchannel-logout`, init)).status;
    };
    expect(await post({ encrypted: { ...registered, key: foreign } })).toBe(400);
    expect(await post({ signedWith: 'foreign_key' })).toBe(400);
    expect((await flow.browser.fetch(`${flow.baseUrl}/private`)).status).toBe(200);
    expect(await post({})).toBe(200);
    expect((await flow.browser.fetch(`${flow.baseUrl}/private`)).status).toBe(401);
  });
});
