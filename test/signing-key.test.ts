import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { type HybridFlowOptions, hybridFlow } from 'passport-oidc-hybrid';
import { signJwt } from '../lib/oidc/signed-jwt.ts';
import { readClientKeys } from '../lib/signing-key.ts';

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519').privateKey;
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwk = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: 'jwk' }) });

const options = {
  issuer: 'https://op.example',
  clientId: 'client',
  baseUrl: 'https://app.example',
  secret: 'a sealing secret that no message may show',
};

describe('a key of the client', () => {
  it.each([
    ['PEM, P-256', pem(ec('P-256')), 'ES256'],
    ['PEM, P-384', pem(ec('P-384')), 'ES384'],
    ['PEM, P-521', pem(ec('P-521')), 'ES512'],
    ['PEM, RSA', pem(rsa.privateKey), 'RS256'],
    ['PEM, Ed25519', pem(ed), 'EdDSA'],
    ['PKCS #1', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(), 'RS256'],
    ['KeyObject', ec('P-256'), 'ES256'],
    ['JWK', jwk(ec('P-256')), 'ES256'],
    ['JWK with alg', { ...jwk(rsa.privateKey), alg: 'PS384' }, 'PS384'],
    ['PEM with alg', { key: pem(rsa.privateKey), alg: 'RS512' }, 'RS512'],
  ])('(%s) signs what its public key verifies', async (_form, given, alg) => {
    const [key] = readClientKeys(given);
    if (key === undefined) throw new Error('there is a key');
    const { protectedHeader, payload } = await jwtVerify(
      await signJwt({ a: 1 }, key),
      key.publicJwk,
    );
    expect([protectedHeader.alg, payload]).toEqual([alg, { a: 1 }]);
    expect(key.publicJwk).toMatchObject({ alg, use: 'sig' });
  });

  it.each([
    [{ name: 'ECDSA', namedCurve: 'P-256' }, 'ES256'],
    [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }, 'RS512'],
    [{ name: 'RSA-PSS', hash: 'SHA-256' }, 'PS256'],
  ])('(a CryptoKey that cannot be exported, %j) signs', async (made, alg) => {
    const all = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), ...made };
    const { privateKey, publicKey } = (await webcrypto.subtle.generateKey(
      all as webcrypto.RsaHashedKeyGenParams,
      false,
      ['sign', 'verify'],
    )) as webcrypto.CryptoKeyPair;
    const [key] = readClientKeys({ key: privateKey, kid: 'k' });
    if (key === undefined) throw new Error('there is a key');
    const { protectedHeader } = await jwtVerify(await signJwt({}, key), publicKey);
    expect(protectedHeader).toMatchObject({ alg, kid: 'k' });
  });

  it('is published by jwks() without its private part, also when it does not sign yet', () => {
    const clientKey = [
      { key: pem(rsa.privateKey), kid: 'now' },
      { key: jwk(ec('P-256')), kid: 'next' },
    ];
    const { keys } = hybridFlow({ ...options, clientKey }).jwks();
    expect(keys).toEqual([
      {
        kty: 'RSA',
        n: expect.any(String),
        e: 'AQAB',
        alg: 'RS256',
        use: 'sig',
        kid: 'now',
      },
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        alg: 'ES256',
        use: 'sig',
        kid: 'next',
      },
    ]);
    expect(hybridFlow({ ...options, clientSecret: 'a secret' }).jwks()).toEqual({ keys: [] });
  });
});

describe('credentials', () => {
  const good = pem(ec('P-256'));

  it.each([
    ['a text that is no key', { clientKey: 'secret text' }, 'clientKey'],
    ['no key at all', { clientKey: [] }, 'clientKey'],
    ['a public key', { clientKey: jwk(rsa.publicKey) }, 'clientKey'],
    [
      'an RSA key that is too short',
      { clientKey: pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey) },
      'clientKey',
    ],
    [
      'a key that cannot sign',
      { clientKey: pem(generateKeyPairSync('x25519').privateKey) },
      'clientKey',
    ],
    [
      'an RSA key that is bound to PSS, which no JWK can be',
      { clientKey: pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey) },
      'clientKey',
    ],
    ['an alg of another key', { clientKey: { key: good, alg: 'RS256' } }, 'clientKey'],
    ['a kid that is no text', { clientKey: { key: good, kid: 7 } }, 'clientKey'],
    ['an unknown name', { clientKey: { key: good, use: 'sig' } }, 'clientKey'],
    ['two keys of one name', { clientKey: [good, good] }, 'clientKey'],
    ['private_key_jwt without a key', { tokenEndpointAuthMethod: 'private_key_jwt' }, 'clientKey'],
    [
      'client_secret_post without a secret',
      { clientKey: good, tokenEndpointAuthMethod: 'client_secret_post' },
      'clientSecret',
    ],
    [
      'a secret that is too short to sign',
      { clientSecret: 'secret text', tokenEndpointAuthMethod: 'client_secret_jwt' },
      'clientSecret',
    ],
    [
      'an algorithm for a method that signs nothing',
      { clientSecret: 'secret text', tokenEndpointAuthSigningAlg: 'HS512' },
      'tokenEndpointAuthSigningAlg',
    ],
  ])('with %s are refused, and no message shows them', (_what, wrong, option) => {
    const make = (): unknown => hybridFlow({ ...options, ...wrong } as HybridFlowOptions);
    expect(make).toThrow(expect.objectContaining({ name: 'OptionsError', option }));
    expect(make).not.toThrow(/secret text|BEGIN/);
  });
});
