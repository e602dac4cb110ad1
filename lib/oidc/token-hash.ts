import { createHash } from 'node:crypto';
import { ValidationError } from '../errors.ts';

/** The hash inside each signature algorithm. Core 3.3.2.11; Ed25519 signs over SHA-512 (RFC 8032 5.1). */
const hashOfAlgorithm: Readonly<Record<string, string>> = {
  RS256: 'sha256',
  PS256: 'sha256',
  ES256: 'sha256',
  RS384: 'sha384',
  PS384: 'sha384',
  ES384: 'sha384',
  RS512: 'sha512',
  PS512: 'sha512',
  ES512: 'sha512',
  EdDSA: 'sha512',
  Ed25519: 'sha512',
};

/** One hash claim of an ID Token, and the value it stands for. */
export interface HashBinding {
  readonly claim: 'c_hash' | 'at_hash' | 's_hash';
  /** The `c_hash`, `at_hash` or `s_hash` of the ID Token. */
  readonly found: unknown;
  /** The code, access token or state. */
  readonly value: string;
  /** `alg` of the ID Token. */
  readonly alg: string;
  readonly isRequired: boolean;
  readonly section: string;
}

/**
 * Left half of the hash, base64url.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken Core 3.3.2.11}
 */
export function tokenHash(value: string, alg: string): string {
  const hash = createHash(String(hashOfAlgorithm[alg])).update(value).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

/**
 * Holds a hash claim against the value beside it.
 *
 * @throws {@link ValidationError} `ERR_OIDC_C_HASH_…`, `ERR_OIDC_AT_HASH_…`, `ERR_OIDC_S_HASH_…`
 */
export function checkTokenHash(binding: HashBinding): void {
  const { claim, found, section } = binding;
  if (found === undefined) {
    if (!binding.isRequired) return;
    throw new ValidationError(
      missing[claim],
      section,
      `the ID Token must have ${claim}; it has none`,
    );
  }
  if (found !== tokenHash(binding.value, binding.alg)) {
    throw new ValidationError(
      mismatch[claim],
      section,
      `${claim} of the ID Token does not belong to the value that came beside it`,
    );
  }
}

const missing = {
  c_hash: 'ERR_OIDC_C_HASH_MISSING',
  at_hash: 'ERR_OIDC_AT_HASH_MISSING',
  s_hash: 'ERR_OIDC_S_HASH_MISSING',
} as const;

const mismatch = {
  c_hash: 'ERR_OIDC_C_HASH_MISMATCH',
  at_hash: 'ERR_OIDC_AT_HASH_MISMATCH',
  s_hash: 'ERR_OIDC_S_HASH_MISMATCH',
} as const;
