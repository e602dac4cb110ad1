import { createHash } from 'node:crypto';

/** The hash of Core 3.3.2.11 for ES256, written once more: the OP must not share code with what it tests. */
export function tokenHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');
}
