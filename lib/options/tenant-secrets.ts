import { createHash, createHmac } from 'node:crypto';

/** Names a tenant without saying its id: in the state, which others see, and in sessions. */
export function tenantDigest(id: string): string {
  return createHash('sha256').update(`tenant ${id}`).digest('base64url').slice(0, 16);
}

/**
 * The secrets of one tenant. What one seals no other opens: cookies, answers on their way to the second
 * hop, and token records.
 */
export function tenantSecrets(
  secrets: readonly string[],
  id: string | undefined,
): readonly string[] {
  if (id === undefined) return secrets;
  return Object.freeze(
    secrets.map((secret) =>
      createHmac('sha256', secret).update(`tenant ${id}`).digest('base64url'),
    ),
  );
}
