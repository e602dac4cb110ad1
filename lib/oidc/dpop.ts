import {
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { SignJWT } from 'jose';
import { BoundedMap } from '../bounded-map.ts';
import type { DpopAlgorithm, ResolvedOptions } from '../options.ts';

/** The key that the tokens of one login are bound to, as it is kept with them. */
export interface DpopKey {
  readonly alg: DpopAlgorithm;
  /** 32 bytes, base64url: the private key. */
  readonly secret: string;
}

interface ImportedKey {
  readonly privateKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, string>>;
  readonly thumbprint: string;
}

/**
 * The key of a login, made of the login's seed: so it need not travel in a cookie, and is there before the
 * login is.
 */
export function dpopKeyOf(seed: string, alg: DpopAlgorithm): DpopKey {
  for (let count = 0; ; count += 1) {
    const secret = createHmac('sha256', seed).update(`dpop ${count}`).digest();
    // Not every number is a private key of P-256: about one in 2^32 is none.
    if (alg !== 'ES256' || isScalar(secret)) return { alg, secret: secret.toString('base64url') };
  }
}

function isScalar(secret: Buffer): boolean {
  try {
    createECDH('prime256v1').setPrivateKey(secret);
    return true;
  } catch {
    return false;
  }
}

const imported = new WeakMap<DpopKey, ImportedKey>();

function importKey(key: DpopKey): ImportedKey {
  const before = imported.get(key);
  if (before !== undefined) return before;
  const secret = Buffer.from(key.secret, 'base64url');
  const made = key.alg === 'ES256' ? importP256(secret) : importEd25519(secret);
  imported.set(key, made);
  return made;
}

function importP256(secret: Buffer): ImportedKey {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(secret);
  const point = ecdh.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toString('base64url'),
  );
  // In the order of RFC 7638 3.
  const publicJwk = { crv: 'P-256', kty: 'EC', x: String(x), y: String(y) };
  const jwk = { ...publicJwk, d: secret.toString('base64url') };
  return withThumbprint(createPrivateKey({ key: jwk, format: 'jwk' }), publicJwk);
}

/** RFC 8410 7: what stands before the 32 bytes of a private key. */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function importEd25519(secret: Buffer): ImportedKey {
  const key = Buffer.concat([ed25519Prefix, secret]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return withThumbprint(privateKey, { crv: 'Ed25519', kty: 'OKP', x: String(x) });
}

function withThumbprint(
  privateKey: KeyObject,
  publicJwk: Readonly<Record<string, string>>,
): ImportedKey {
  const thumbprint = createHash('sha256').update(JSON.stringify(publicJwk)).digest('base64url');
  return { privateKey, publicJwk, thumbprint };
}

/** `jkt`: SHA-256 of the public key. RFC 7638. */
export function dpopThumbprint(key: DpopKey): string {
  return importKey(key).thumbprint;
}

/** A request that a proof is for. */
export interface ProvenRequest {
  readonly method: string;
  readonly url: string | URL;
  /** Of calls to an API. */
  readonly accessToken?: string | undefined;
}

/** Whom a request goes to: an OP and an API at one origin may have nonces of their own. */
export type ProvenTo = 'op' | 'api';

/** A proof for one request. */
export interface DpopProof {
  readonly jwt: string;
  /**
   * Remembers the nonce of the answer, which is good for all logins.
   *
   * @returns whether it is another one than the proof had, so that a second one may do
   */
  learn(nonce: unknown): boolean;
}

/** Makes proofs, with the nonces that servers want in them. */
export interface DpopProofs {
  prove(key: DpopKey, request: ProvenRequest, to: ProvenTo): Promise<DpopProof>;
}

/** Servers whose nonces are remembered. */
const maxServers = 1000;

/**
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 section 4.2}
 */
export function createDpopProofs({ now }: Pick<ResolvedOptions, 'now'>): DpopProofs {
  const nonces = new BoundedMap<string, string>(maxServers);

  return {
    async prove(key, { method, url, accessToken }, to) {
      const { privateKey, publicJwk } = importKey(key);
      const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url');
      const { origin, pathname } = new URL(url);
      const server = `${to} ${origin}`;
      const nonce = nonces.get(server);
      const jwt = await new SignJWT({
        jti: randomBytes(16).toString('base64url'),
        htm: method,
        // 4.2: without query and fragment.
        htu: `${origin}${pathname}`,
        iat: Math.floor(now() / 1000),
        ...(nonce === undefined ? {} : { nonce }),
        ...(ath === undefined ? {} : { ath }),
      })
        .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: publicJwk })
        .sign(privateKey);
      return { jwt, learn: (answered) => answered !== nonce && remember(server, answered) };
    },
  };

  function remember(server: string, nonce: unknown): boolean {
    // 8.1: the characters of a nonce; nothing else goes into a signed header.
    if (typeof nonce !== 'string' || !/^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/.test(nonce))
      return false;
    nonces.set(server, nonce);
    return true;
  }
}
