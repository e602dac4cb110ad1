import { createHash } from 'node:crypto';

/** The hash of Core 3.3.2.11, written once more: the OP must not share code with what it tests. */
export function tokenHash(value: string, alg = 'ES256'): string {
  const bits = alg.startsWith('Ed') ? 512 : Number(alg.slice(2));
  const hash = createHash(`sha${bits}`).update(value).digest();
  return hash.subarray(0, bits / 16).toString('base64url');
}
