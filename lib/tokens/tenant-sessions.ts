import { BoundedMap } from '../bounded-map.ts';
import type { ResolvedOptions } from '../options.ts';
import { followSessions, type RecordFollower } from './record-lifetime.ts';
import { destroyEntry, readEntry, type SessionStore } from './session-store.ts';
import { isMarkOf, type LoginMark } from './token-record.ts';
import { recordKey } from './token-store.ts';

/**
 * Follows the sessions of many tenants in one store as one: a store that told each tenant of each
 * session would read the record of every session once for every tenant.
 */
export interface TenantSessions {
  /** Has a tenant's sessions followed by its newest flow. */
  follow(store: SessionStore, tenant: string, follower: RecordFollower): void;
  /** Makes a tenant the last to give way, as its flow is: it is in use. */
  keep(tenant: string): void;
  /** The stores that requests have come with, of whatever tenant. */
  stores(): readonly SessionStore[];
}

export function createTenantSessions(
  options: Pick<ResolvedOptions, 'sessionKey' | 'now' | 'idleLifetimeSeconds'>,
  maxTenants: number,
): TenantSessions {
  const { sessionKey, now, idleLifetimeSeconds } = options;
  const followersOf = new Map<SessionStore, BoundedMap<string, RecordFollower>>();

  const followStore = (store: SessionStore): BoundedMap<string, RecordFollower> => {
    const followers = new BoundedMap<string, RecordFollower>(maxTenants);
    /** `undefined` for a tenant of which there was no request for long: it has no flow any more. */
    const of = (mark: unknown): RecordFollower | undefined =>
      followers.get((mark as LoginMark | undefined)?.tenant ?? '');
    const keyOf = (sessionId: string): string => recordKey(sessionKey, sessionId);

    followSessions(store, {
      sessionKey,
      now,
      idleLifetimeSeconds,
      onProlonged: async (sessionId, entry) => of(entry[sessionKey])?.onProlonged(sessionId, entry),
      async endRecord(sessionId) {
        const session = await readEntry(store, sessionId).catch(() => undefined);
        const follower = of(session?.[sessionKey]);
        if (follower !== undefined) return follower.endRecord(sessionId);
        await destroyEntry(store, keyOf(sessionId));
        return undefined;
      },
      async hasEnded(sessionId, mark) {
        const follower = of(mark);
        if (follower !== undefined) return follower.hasEnded(sessionId, mark);
        if (!isMarkOf(mark as LoginMark, sessionId)) return false;
        return (await readEntry(store, keyOf(sessionId))) === undefined;
      },
    });
    return followers;
  };

  return {
    follow(store, tenant, follower) {
      const followers = followersOf.get(store) ?? followStore(store);
      followersOf.set(store, followers);
      followers.set(tenant, follower);
    },
    keep(tenant) {
      for (const followers of followersOf.values()) {
        const follower = followers.get(tenant);
        if (follower !== undefined) followers.set(tenant, follower);
      }
    },
    stores: () => [...followersOf.keys()],
  };
}
