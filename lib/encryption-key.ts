import type { KeyObject } from 'node:crypto';
import { OptionsError } from './errors.ts';
import { type PrivateKey, publicJwkOf, readPrivateKey } from './signing-key.ts';

/**
 * How the key of an encrypted JWT is encrypted, by this client's public key. Those with a secret or a
 * password (`dir`, `A128KW`, `PBES2-…`) and `RSA1_5` are never taken.
 */
export const keyAlgorithms = [
  'RSA-OAEP-256',
  'RSA-OAEP-384',
  'RSA-OAEP-512',
  'RSA-OAEP',
  'ECDH-ES',
  'ECDH-ES+A128KW',
  'ECDH-ES+A192KW',
  'ECDH-ES+A256KW',
] as const;

/** A JWE algorithm with a private key. Wire name: `id_token_encrypted_response_alg` and its kin. */
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** How the content of an encrypted JWT is encrypted: all that authenticate it. */
export const contentAlgorithms = [
  'A128CBC-HS256',
  'A192CBC-HS384',
  'A256CBC-HS512',
  'A128GCM',
  'A192GCM',
  'A256GCM',
] as const;

/** A private key that what the OP sends is encrypted for, with what the OP knows it by. */
export interface ClientEncryptionKey {
  /** RSA of 2048 bits or more, P-256, P-384, P-521 or X25519. */
  key: PrivateKey;
  /** JWE algorithm. @default that of the JWK; else RSA-OAEP-256 or ECDH-ES by the key */
  alg?: KeyAlgorithm | undefined;
  /** Key ID, as the OP knows it. @default that of the JWK, else none */
  kid?: string | undefined;
}

/** Keys for encryption; all open, and all are in `jwks()`. */
export type ClientEncryptionKeys =
  | PrivateKey
  | ClientEncryptionKey
  | readonly (PrivateKey | ClientEncryptionKey)[];

/** A key for encryption: checked. */
export interface EncryptionKeyPair {
  readonly alg: KeyAlgorithm;
  readonly kid: string | undefined;
  readonly key: KeyObject;
  /** For the OP: `alg`, `kid` and `use` are in it. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/**
 * Checks the keys for encryption.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that says nothing of the key
 */
export function readEncryptionKeys(given: unknown): readonly EncryptionKeyPair[] {
  const keys = (Array.isArray(given) ? given : [given]).map(readKeyPair);
  if (keys.length === 0) throw invalid('must have one key or more');
  if (keys.length > 1 && new Set(keys.map(({ kid }) => kid ?? '')).size < keys.length) {
    throw invalid('has several keys, and each needs a "kid" of its own');
  }
  return Object.freeze(keys);
}

function readKeyPair(given: unknown): EncryptionKeyPair {
  const {
    privateKey: key,
    alg: wanted,
    kid,
  } = readPrivateKey(given, 'clientEncryptionKey', [
    'decrypt',
    'unwrapKey',
    'deriveBits',
    'deriveKey',
  ]);
  const fitting = algorithmsFor(key);
  const alg = wanted === undefined ? fitting[0] : fitting.find((name) => name === wanted);
  if (alg === undefined) {
    throw invalid(`must have an "alg" of its key: ${fitting.join(', ') || 'none fits'}`);
  }
  return Object.freeze({ alg, kid, key, publicJwk: publicJwkOf(key, { alg, use: 'enc', kid }) });
}

/** The first one is the default. */
function algorithmsFor(key: KeyObject): readonly KeyAlgorithm[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const ofCurves = keyAlgorithms.filter((name) => name.startsWith('ECDH-ES'));
  switch (key.asymmetricKeyType) {
    case 'rsa':
      // RFC 7518 4.3.
      if (modulusLength < 2048) throw invalid('must be RSA of 2048 bits or more');
      return keyAlgorithms.filter((name) => name.startsWith('RSA'));
    case 'ec':
      return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve) ? ofCurves : [];
    case 'x25519':
      return ofCurves;
    default:
      return [];
  }
}

function invalid(message: string): OptionsError {
  const option = 'clientEncryptionKey';
  return new OptionsError('ERR_OIDC_OPTION_INVALID', option, `"${option}" ${message}`);
}
