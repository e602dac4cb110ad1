import type { ResolvedOptions } from '../options.ts';
import type { SessionStore } from '../tokens/session-store.ts';

const warnedOf = new WeakSet<SessionStore>();

/**
 * A store that processes can share calls for a lock that they share: without it two processes may
 * spend the same refresh token, and the OP then ends the login. Said once for each store.
 */
export function warnOfMissingLock(store: SessionStore, options: ResolvedOptions): void {
  if (options.lock !== undefined || warnedOf.has(store)) return;
  warnedOf.add(store);
  const { name } = store.constructor;
  if (name === 'MemoryStore') return;
  process.emitWarning(
    `sessions are in a ${name}, which several processes can share, and hybridFlow() has no "lock": refreshes are serialized within this process only. With Redis, add: lock: redisLock(client). With a single process, add: lock: inProcessLock().`,
    { type: 'OidcWarning', code: 'OIDC_NO_SHARED_LOCK' },
  );
}
