import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  EmbeddedJWK,
  jwtVerify,
} from 'jose';
import { type HybridFlowOptions, hybridFlow } from 'passport-oidc-hybrid';
import { createDpopProofs, dpopKeyOf, dpopThumbprint } from '../../lib/oidc/dpop.ts';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { errorCode, startFlow } from '../support/flow.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const seed = 'a seed';
const key = dpopKeyOf(seed, 'ES256');
const call = { method: 'POST', url: 'https://api.example/a/b?c=d#e', accessToken: 'at' };

describe('RFC 9449 4 proofs', () => {
  it.each(['ES256', 'EdDSA', 'Ed25519'] as const)(
    'are signed by the key of the login, with %s',
    async (alg) => {
      for (let round = 0; round < 20; round += 1) {
        const login = dpopKeyOf(randomBytes(32).toString('base64url'), alg);
        const proof = await createDpopProofs({ now: Date.now }).prove(login, call, 'api');
        const { protectedHeader } = await jwtVerify(proof.jwt, EmbeddedJWK, { typ: 'dpop+jwt' });
        const { jwk = {} } = protectedHeader;
        expect(protectedHeader.alg).toBe(alg);
        expect(jwk).not.toHaveProperty('d');
        expect(await calculateJwkThumbprint(jwk)).toBe(dpopThumbprint(login));
      }
    },
  );

  it('name method, URL without query and fragment, time and access token, each under a name of its own', async () => {
    const proofs = createDpopProofs({ now: () => 1_700_000_000_000 });
    const [one, two] = [await proofs.prove(key, call, 'api'), await proofs.prove(key, call, 'api')];
    expect(decodeJwt(one.jwt)).toEqual({
      jti: expect.stringMatching(/^[\w-]{22}$/),
      htm: 'POST',
      htu: 'https://api.example/a/b',
      iat: 1_700_000_000,
      // SHA-256 of "at".
      ath: 'sda5G2fCr6XjIpiNlGJjjTVN34oe9526mH-BXCK0uu4',
    });
    expect(decodeJwt(two.jwt).jti).not.toBe(decodeJwt(one.jwt).jti);
    const [header] = [decodeProtectedHeader(one.jwt)];
    expect(Object.keys(header).sort()).toEqual(['alg', 'jwk', 'typ']);
  });

  it('have the newest nonce of the server, and of no other', async () => {
    const proofs = createDpopProofs({ now: Date.now });
    const nonceOf = async (url: string, to: 'op' | 'api'): Promise<unknown> =>
      decodeJwt((await proofs.prove(key, { ...call, url }, to)).jwt)['nonce'];
    const { learn } = await proofs.prove(key, call, 'api');
    expect(learn('n1')).toBe(true);
    expect(await nonceOf('https://api.example/other', 'api')).toBe('n1');
    expect(await nonceOf('https://api.example/other', 'op')).toBeUndefined();
    expect(await nonceOf('https://other.example/', 'api')).toBeUndefined();
    const next = await proofs.prove(key, call, 'api');
    expect(next.learn('n1')).toBe(false);
    // Sent before, answered after: the one that it had was none.
    expect(learn('n1')).toBe(true);
  });

  it.each([null, undefined, '', 'a b', 'a"b', 'ä', 'x'.repeat(1025), 7])(
    'have no nonce that cannot be one: %j',
    async (nonce) => {
      const proofs = createDpopProofs({ now: Date.now });
      expect((await proofs.prove(key, call, 'api')).learn(nonce)).toBe(false);
      const { jwt } = await proofs.prove(key, call, 'api');
      expect(decodeJwt(jwt)).not.toHaveProperty('nonce');
    },
  );

  it('are by the same key wherever the seed is known, and by another for another seed', () => {
    expect(dpopKeyOf(seed, 'ES256')).toEqual(key);
    expect(dpopThumbprint(dpopKeyOf('another seed', 'ES256'))).not.toBe(dpopThumbprint(key));
  });
});

describe('RFC 9449 5 the answer of the token endpoint', () => {
  const refresh = { refresh_token: 'rt' };
  const jwt = (payload: object): string =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;

  const ask = (answer: object) => {
    const op = opByFetch();
    op.token = () => Response.json({ access_token: 'at', token_type: 'DPoP', ...answer });
    return requestTokens(createProvider(op.options), 'refresh_token', refresh, key);
  };

  it.each([
    {},
    { token_type: 'dpop' },
    { access_token: jwt({ cnf: { jkt: dpopThumbprint(key) } }) },
  ])('is taken with %j', async (answer) => {
    await expect(ask(answer)).resolves.toHaveProperty('accessToken');
  });

  it.each([
    [{ token_type: 'Bearer' }, 'ERR_OIDC_TOKEN_TYPE', 'RFC 9449 5'],
    [{ access_token: jwt({}) }, 'ERR_OIDC_TOKEN_BINDING', 'RFC 9449 6.1'],
    [{ access_token: jwt({ cnf: { jkt: 'another' } }) }, 'ERR_OIDC_TOKEN_BINDING', 'RFC 9449 6.1'],
  ])('is refused with %j', async (answer, code, section) => {
    await expect(ask(answer)).rejects.toMatchObject({ code, section });
  });

  it('is refused as DPoP where nothing was proven', async () => {
    const op = opByFetch();
    op.token = () => Response.json({ access_token: 'at', token_type: 'DPoP' });
    await expect(
      requestTokens(createProvider(op.options), 'refresh_token', refresh),
    ).rejects.toMatchObject({ code: 'ERR_OIDC_TOKEN_TYPE', section: 'Core 3.1.3.3' });
  });

  it.each([
    ['an error without a nonce', { error: 'use_dpop_nonce' }, {}, 1],
    ['another error with a nonce', { error: 'invalid_grant' }, { 'dpop-nonce': 'n' }, 1],
    ['a nonce each time', { error: 'use_dpop_nonce' }, { 'dpop-nonce': 'n' }, 2],
  ])('is asked for no oftener than helps: %s', async (_what, body, headers, times) => {
    const op = opByFetch();
    op.token = () =>
      Response.json(body, { status: 400, headers: headers as Record<string, string> });
    const provider = createProvider(op.options);
    await expect(requestTokens(provider, 'refresh_token', refresh, key)).rejects.toHaveProperty(
      'code',
    );
    expect(op.requests.filter(({ url }) => url.endsWith('/token'))).toHaveLength(times);
  });

  it('ends a login at an OP that knows nothing of proofs', async () => {
    const flow = await startFlow({ oidc: { dpop: true } });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_TOKEN_TYPE');
    expect(await flow.loginKeys()).toEqual([]);
    await flow.close();
  });
});

describe('the option dpop', () => {
  const options: HybridFlowOptions = {
    issuer: 'https://op.example',
    clientId: 'client',
    clientSecret: 'a secret of the client',
    baseUrl: 'https://app.example',
    secret: 'a sealing secret that no message may show',
  };

  it.each([
    ['dpop', 'yes', 'ERR_OIDC_OPTION_INVALID'],
    ['dpop.alg', { alg: 'HS256' }, 'ERR_OIDC_OPTION_INVALID'],
    ['dpop.alg', { alg: 'none' }, 'ERR_OIDC_OPTION_INVALID'],
    ['dpop.algorithm', { algorithm: 'ES256' }, 'ERR_OIDC_OPTION_UNKNOWN'],
  ])('is refused for what is wrong with %s: %j', (option, dpop, code) => {
    const wrong = { ...options, dpop } as HybridFlowOptions;
    expect(() => hybridFlow(wrong)).toThrow(expect.objectContaining({ option, code }));
  });

  it.each(['code token', 'code id_token token'] as const)(
    'is refused with "%s", whose access token in the browser nothing can bind',
    (responseType) => {
      const make = () => hybridFlow({ ...options, dpop: true, responseType });
      expect(make).toThrow(expect.objectContaining({ option: 'responseType' }));
      expect(() => hybridFlow({ ...options, responseType })).not.toThrow();
    },
  );

  it('takes a proxied route that says where it leads', () => {
    const oidc = hybridFlow({ ...options, dpop: true });
    const missing = { option: 'proxied.to', code: 'ERR_OIDC_OPTION_MISSING' };
    const invalid = { option: 'proxied.to', code: 'ERR_OIDC_OPTION_INVALID' };
    expect(() => oidc.requireAuth({ proxied: true })).toThrow(expect.objectContaining(missing));
    expect(() => oidc.requireAuth({ proxied: { to: '/v1' } })).toThrow(
      expect.objectContaining(invalid),
    );
    expect(() => oidc.requireAuth({ proxied: { to: 'https://api.example' } })).not.toThrow();
    expect(() => oidc.requireAuth({ proxied: true, accessToken: false })).not.toThrow();
    expect(() => hybridFlow(options).requireAuth({ proxied: true })).not.toThrow();
  });
});
