import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { encryptionKeys } from '../support/encryption-keys.ts';

const make = (oidc: object) =>
  hybridFlow({
    issuer: 'https://op.example',
    clientId: 'client',
    clientSecret: 'secret',
    baseUrl: 'https://app.example',
    secret: 'a sealing secret that no message may show',
    ...(oidc as Partial<CommonOptions>),
  });

const { rsa, p256, x25519 } = encryptionKeys;
const ed = generateKeyPairSync('ed25519').privateKey;
const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;

describe('the option clientEncryptionKey', () => {
  it.each([
    ['PEM', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), 'RSA-OAEP-256'],
    ['a JWK', { ...p256.privateKey.export({ format: 'jwk' }), kid: 'k' }, 'ECDH-ES'],
    [
      'a JWK with its alg',
      { ...p256.privateKey.export({ format: 'jwk' }), alg: 'ECDH-ES+A256KW' },
      'ECDH-ES+A256KW',
    ],
    ['a KeyObject', x25519.privateKey, 'ECDH-ES'],
  ])('takes %s, and publishes its public half', (_how, clientEncryptionKey, alg) => {
    const [jwk, ...others] = make({ clientEncryptionKey }).jwks().keys;
    expect(jwk).toMatchObject({ alg, use: 'enc' });
    expect(jwk).not.toHaveProperty('d');
    expect(others).toEqual([]);
  });

  it('takes a CryptoKey for its usage only', async () => {
    const of = (name: string, usages: webcrypto.KeyUsage[]) =>
      webcrypto.subtle.generateKey(
        { name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
        true,
        usages,
      ) as Promise<webcrypto.CryptoKeyPair>;
    const decrypting = await of('RSA-OAEP', ['encrypt', 'decrypt']);
    const { privateKey: clientEncryptionKey } = decrypting;
    expect(make({ clientEncryptionKey }).jwks().keys).toHaveLength(1);
    const { privateKey: signing } = await of('RSA-PSS', ['sign', 'verify']);
    expect(() => make({ clientEncryptionKey: signing })).toThrow(/usage "decrypt"/);
  });

  it.each<[string, object]>([
    ['clientEncryptionKey', { clientEncryptionKey: 'no key' }],
    ['clientEncryptionKey', { clientEncryptionKey: rsa.publicKey }],
    ['clientEncryptionKey', { clientEncryptionKey: [] }],
    ['clientEncryptionKey', { clientEncryptionKey: ed }],
    ['clientEncryptionKey', { clientEncryptionKey: short }],
    ['clientEncryptionKey', { clientEncryptionKey: secp256k1 }],
    ['clientEncryptionKey', { clientEncryptionKey: [rsa.privateKey, p256.privateKey] }],
    ['clientEncryptionKey', { clientEncryptionKey: { key: rsa.privateKey, alg: 'ECDH-ES' } }],
    ['clientEncryptionKey', { clientEncryptionKey: { key: rsa.privateKey, alg: 'RSA1_5' } }],
    ['clientEncryptionKey', { clientEncryptionKey: { key: rsa.privateKey, alg: 'dir' } }],
    ['clientEncryptionKey', { clientEncryptionKey: { key: rsa.privateKey, enc: 'A256GCM' } }],
    ['clientEncryptionKey', { encryptedResponses: ['idToken'] }],
    [
      'encryptedResponses',
      { clientEncryptionKey: rsa.privateKey, encryptedResponses: ['id_token'] },
    ],
    ['encryptedResponses', { clientEncryptionKey: rsa.privateKey, encryptedResponses: 'idToken' }],
  ])('%s is refused when it is wrong: %#', (option, oidc) => {
    expect(() => make(oidc)).toThrow(expect.objectContaining({ name: 'OptionsError', option }));
  });
});
