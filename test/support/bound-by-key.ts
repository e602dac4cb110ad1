import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { accessTokenHash, type CheckBinding } from './bound-api.ts';

/** The nonces that an API wants in proofs. */
export interface ApiNonces {
  /** `undefined`: none is wanted. */
  current: string | undefined;
}

export function createApiNonces(): ApiNonces & { next(): void } {
  return {
    current: undefined,
    next() {
      this.current = randomBytes(12).toString('base64url');
    },
  };
}

/** RFC 9449 4.3: all that an API has to check in a proof. */
export function byKey(baseUrl: () => string, nonces: ApiNonces): CheckBinding {
  const seen = new Set<string>();
  return async (req, res: ServerResponse, { value, cnf }) => {
    if (nonces.current !== undefined) res.setHeader('DPoP-Nonce', nonces.current);
    const proof = req.headers['dpop'];
    if (typeof proof !== 'string') return 'no proof, or several';
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256', 'EdDSA', 'Ed25519'],
    });
    const { pathname } = new URL(req.url ?? '/', baseUrl());
    if (payload['htm'] !== req.method) return `another method: ${payload['htm']}`;
    if (payload['htu'] !== `${baseUrl()}${pathname}`) return `another URL: ${payload['htu']}`;
    if (payload['ath'] !== accessTokenHash(value)) return 'another access token';
    if (payload['nonce'] !== nonces.current) return 'use_dpop_nonce';
    const { jti = '' } = payload;
    if (jti.length < 16 || seen.has(jti)) return 'a proof that was here before';
    seen.add(jti);
    const { jwk } = protectedHeader;
    if (jwk === undefined || 'd' in jwk) return 'no public key, or a private one';
    const thumbprint = await calculateJwkThumbprint(jwk);
    return cnf['jkt'] === thumbprint ? undefined : 'another key';
  };
}
