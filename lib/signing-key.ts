import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  KeyObject,
  type webcrypto,
} from 'node:crypto';
import { OptionsError } from './errors.ts';

/** A private key: PEM (PKCS #8), a JWK, a `CryptoKey` or a `KeyObject`. */
export type PrivateKey =
  | string
  | Readonly<Record<string, unknown>>
  | webcrypto.CryptoKey
  | KeyObject;

/** A private key of the client, with what the OP knows it by. */
export interface ClientKey {
  key: PrivateKey;
  /** JWS algorithm. @default that of the JWK; else RS256, ES256, ES384, ES512 or EdDSA by the key */
  alg?: AsymmetricAlgorithm | undefined;
  /** Key ID, as the OP knows it. @default that of the JWK, else none */
  kid?: string | undefined;
}

/** JWS algorithms with a private key. */
export const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** A JWS algorithm with a private key. */
export type AsymmetricAlgorithm = (typeof asymmetricAlgorithms)[number];

/** JWS algorithms with the client secret. */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const;

/** A JWS algorithm with the client secret. */
export type SecretAlgorithm = (typeof secretAlgorithms)[number];

/** What a JWT of this client is signed with: checked. */
export interface SigningKey {
  readonly alg: AsymmetricAlgorithm | SecretAlgorithm;
  readonly kid: string | undefined;
  readonly key: KeyObject | webcrypto.CryptoKey | Uint8Array;
}

/** A private key, and the public one that belongs to it. */
export interface SigningKeyPair extends SigningKey {
  readonly alg: AsymmetricAlgorithm;
  /** For the OP: `alg`, `kid` and `use` are in it. */
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** RFC 7518 3.2: at least as long as the hash of HS256, or it can be guessed from one signature. */
const minSecretBytes = 32;

/**
 * The client secret as a key.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` for a secret that is too short
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#Signing Core 10.1}
 */
export function readSecretKey(clientSecret: string, alg: SecretAlgorithm): SigningKey {
  const key = Buffer.from(clientSecret, 'utf8');
  if (key.length < minSecretBytes) {
    throw invalid(
      'clientSecret',
      `needs ${minSecretBytes} bytes or more to sign with; found ${key.length}`,
    );
  }
  return Object.freeze({ alg, kid: undefined, key });
}

/**
 * Checks the private keys of the client; the first one signs.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that says nothing of the key
 */
export function readClientKeys(given: unknown): readonly SigningKeyPair[] {
  const keys = (Array.isArray(given) ? given : [given]).map(readKeyPair);
  if (keys.length === 0) throw invalid('clientKey', 'must have one key or more');
  if (keys.length > 1 && new Set(keys.map(({ kid }) => kid ?? '')).size < keys.length) {
    throw invalid('clientKey', 'has several keys, and each needs a "kid" of its own');
  }
  return Object.freeze(keys);
}

/** A private key as it was given, with what was said about it. */
export interface GivenKey {
  readonly raw: unknown;
  readonly privateKey: KeyObject;
  readonly alg: unknown;
  readonly kid: string | undefined;
}

/**
 * Reads a private key, alone or with its `alg` and `kid`.
 *
 * @param usages of a CryptoKey; one of them is enough
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that says nothing of the key
 */
export function readPrivateKey(
  given: unknown,
  option: string,
  usages: readonly webcrypto.KeyUsage[],
): GivenKey {
  const isNamed = isObject(given) && 'key' in given && !isKey(given);
  const { key: raw, ...named }: Record<string, unknown> = isNamed ? given : { key: given };
  const odd = Object.keys(named).find((name) => name !== 'alg' && name !== 'kid');
  if (odd !== undefined) throw invalid(option, `has "${odd}"; known are key, alg and kid`);
  const jwk = isObject(raw) && !isKey(raw) ? raw : {};
  const privateKey = privateKeyOf(raw, option);
  if (isCryptoKey(raw) && !usages.some((usage) => raw.usages.includes(usage))) {
    throw invalid(option, `must have the usage "${usages.join('" or "')}"`);
  }
  const kid = named['kid'] ?? jwk['kid'];
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) {
    throw invalid(option, 'must have a "kid" that is a non-empty string, or none');
  }
  return { raw, privateKey, alg: named['alg'] ?? jwk['alg'], kid };
}

/** The public half, as the OP is to see it. */
export function publicJwkOf(
  privateKey: KeyObject,
  parameters: { alg: string; use: 'sig' | 'enc'; kid: string | undefined },
): Readonly<Record<string, unknown>> {
  const { kid, ...others } = parameters;
  return {
    ...createPublicKey(privateKey).export({ format: 'jwk' }),
    ...others,
    ...(kid === undefined ? {} : { kid }),
  };
}

function readKeyPair(given: unknown): SigningKeyPair {
  const { raw, privateKey, alg: wanted, kid } = readPrivateKey(given, 'clientKey', ['sign']);
  const fitting = algorithmsFor(raw, privateKey);
  const alg = wanted === undefined ? fitting[0] : fitting.find((name) => name === wanted);
  if (alg === undefined) {
    throw invalid(
      'clientKey',
      `must have an "alg" of its key: ${fitting.join(', ') || 'none fits'}`,
    );
  }
  const publicJwk = publicJwkOf(privateKey, { alg, use: 'sig', kid });
  return Object.freeze({ alg, kid, key: isCryptoKey(raw) ? raw : privateKey, publicJwk });
}

function privateKeyOf(raw: unknown, option: string): KeyObject {
  let key: KeyObject;
  try {
    if (raw instanceof KeyObject) key = raw;
    else if (isCryptoKey(raw)) key = KeyObject.from(raw);
    else if (typeof raw === 'string') key = createPrivateKey(raw);
    else key = createPrivateKey({ key: raw as JsonWebKey, format: 'jwk' });
  } catch {
    // Not as a cause: messages of parsers may quote what they were given.
    throw invalid(option, 'cannot be read: it must be PEM, a JWK, a CryptoKey or a KeyObject');
  }
  if (key.type !== 'private') throw invalid(option, 'must be a private key');
  return key;
}

/** The first one is the default. A CryptoKey is made for one of them. */
function algorithmsFor(raw: unknown, key: KeyObject): readonly AsymmetricAlgorithm[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa': {
      // RFC 7518 3.3.
      if (modulusLength < 2048) throw invalid('clientKey', 'must be RSA of 2048 bits or more');
      if (isCryptoKey(raw)) return [algorithmOf(raw)];
      return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
    }
    case 'ec': {
      const ofCurve: Record<string, AsymmetricAlgorithm> = {
        prime256v1: 'ES256',
        secp384r1: 'ES384',
        secp521r1: 'ES512',
      };
      const alg = ofCurve[namedCurve];
      return alg === undefined ? [] : [alg];
    }
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

function algorithmOf({ algorithm }: webcrypto.CryptoKey): AsymmetricAlgorithm {
  const { name, hash } = algorithm as webcrypto.RsaHashedKeyAlgorithm;
  const bits = (hash as { name: string }).name.replace('SHA-', '');
  return `${name === 'RSA-PSS' ? 'PS' : 'RS'}${bits}` as AsymmetricAlgorithm;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKey(value: unknown): boolean {
  return value instanceof KeyObject || isCryptoKey(value);
}

function isCryptoKey(value: unknown): value is webcrypto.CryptoKey {
  return Object.prototype.toString.call(value) === '[object CryptoKey]';
}

function invalid(option: string, message: string): OptionsError {
  return new OptionsError('ERR_OIDC_OPTION_INVALID', option, `"${option}" ${message}`);
}
