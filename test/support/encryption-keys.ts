import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A key of a client that others encrypt for. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Keys of each kind, made once for a test file. */
export const encryptionKeys: Readonly<Record<'rsa' | 'p256' | 'p521' | 'x25519', KeyPair>> = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  x25519: generateKeyPairSync('x25519'),
};
