import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import type { AnswerLie } from '../../support/lies.ts';
import { channels } from '../../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

type Jwk = Record<string, unknown>;

/** Changes the keys that the OP publishes. */
const published = (change: (keys: Jwk[]) => unknown[]): { jwks: AnswerLie } => ({
  jwks: { json: ({ keys }) => ({ keys: change(keys as Jwk[]) }) },
});
const withoutKid = (keys: Jwk[]): Jwk[] => keys.map(({ kid, ...key }) => key);
const noKid = { header: { kid: undefined } };

describe('oidcc-client-test-kid-absent-single-jwks', () => {
  it.each(channels)('$name signs in where neither token nor key has a kid', async (channel) => {
    flow = await startFlow({ oidc: channel.oidc });
    flow.op.lie({ ...published(withoutKid), frontIdToken: noKid, backIdToken: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it.each(channels)('$name signs in where the token alone has none', async ({ oidc, place }) => {
    flow = await startFlow({ oidc });
    flow.op.lie({ [place]: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('refuses a token that names a kid where the key has none', async () => {
    flow = await startFlow();
    flow.op.lie(published(withoutKid));
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_KEY');
  });
});

describe('oidcc-client-test-kid-absent-multiple-jwks', () => {
  it.each(channels)('$name refuses to guess (Core 10.1)', async ({ oidc, place }) => {
    flow = await startFlow({ oidc });
    await flow.op.addKey();
    expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
    flow.op.lie({ [place]: noKid });
    const refused = await flow.signIn(new Browser());
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_KEY']);
    expect(await flow.storeKeys()).toHaveLength(2);
  });

  it('signs in where one of them fits the algorithm alone', async () => {
    flow = await startFlow();
    await flow.op.addKey('RS256');
    flow.op.lie({ ...published(withoutKid), frontIdToken: noKid, backIdToken: noKid });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });
});

describe('oidcc-client-test-ignores-unparseable-key-in-jwks', () => {
  it.each([
    ['a key of a type that nobody has', { kty: 'FUTURE', kid: 'f', value: 'x' }],
    ['a key of an unknown parameter set', { kty: 'AKP', alg: 'ML-DSA-999', kid: 'f', pub: 'AA' }],
    ['a key on an unknown curve', { kty: 'EC', crv: 'P-999', kid: 'f', x: 'AA', y: 'AA' }],
    ['a key that lacks its parts', { kty: 'EC', crv: 'P-256', kid: 'f' }],
    ['a key for encryption', { kty: 'RSA', use: 'enc', kid: 'f', n: 'AA', e: 'AQAB' }],
    ['a symmetric key', { kty: 'oct', kid: 'f', k: 'AAAA' }],
    ['a key with no members at all', {}],
  ])('signs in beside %s', async (_what, key) => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [key, ...keys]));
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('a set that is no set of keys is an answer that cannot be used', async () => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [...keys, 'no key']));
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_PROVIDER_RESPONSE');
  });
});

describe('RFC 7517 4.5 two keys of one kid', () => {
  it('are told apart by type, algorithm and use', async () => {
    flow = await startFlow();
    const other = { kty: 'RSA', alg: 'RS256', use: 'sig', n: 'AA', e: 'AQAB' };
    const enc = { use: 'enc', alg: 'ECDH-ES' };
    flow.op.lie(
      published((keys) => [
        ...keys.map(({ kid }) => ({ ...other, kid })),
        ...keys.map((key) => ({ ...key, ...enc })),
        ...keys,
      ]),
    );
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('that cannot be told apart are refused', async () => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [...keys, ...keys]));
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_KEY']);
  });

  it('an HMAC with a symmetric key of the set is refused', async () => {
    flow = await startFlow();
    flow.op.lie({
      ...published((keys) => [
        ...keys,
        { kty: 'oct', kid: 'hmac', k: Buffer.from(flow.op.clientSecret).toString('base64url') },
      ]),
      frontIdToken: { signedWith: 'client_secret', header: { kid: 'hmac' } },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
  });
});
