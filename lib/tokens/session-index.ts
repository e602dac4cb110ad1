import { LockError } from '../errors.ts';
import type { Lock } from '../lock.ts';
import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import {
  destroyEntry,
  readEntry,
  type SessionStore,
  type StoredCookie,
  writeEntry,
} from './session-store.ts';
import { type LoginMark, sidDigest, userDigest } from './token-record.ts';
import { type RecordPlace, recordCookie, recordKey } from './token-store.ts';

/** Whose sessions: those of one session at the OP, or all of a subject. */
export type SessionsOf =
  | { readonly sid: string; readonly sub?: undefined }
  | { readonly sub: string; readonly sid?: undefined };

/** A session that the index lists. */
export interface ListedSession {
  readonly sessionId: string;
  /** Epoch seconds, by the clock of the OP. */
  readonly loggedInAt: number;
  /** Whether its login had a `sid`, by which it is listed as well. */
  readonly hasSid: boolean;
}

/**
 * Finds the sessions of a subject, or of a session at the OP, in the application's session store:
 * stores have no queries. Entries list session ids; those of a subject are spread over 64 entries, so
 * that a login writes a small one however many sessions the subject has.
 */
export interface SessionIndex {
  /** Lists a session, whose record is there already; also one that is listed, or has lost its entry. */
  add(place: RecordPlace, mark: LoginMark, loggedInAt: number, cookie: StoredCookie): Promise<void>;
  remove(place: RecordPlace, mark: Pick<LoginMark, 'user' | 'sid' | 'session'>): Promise<void>;
  /** The sessions that are listed. */
  list(store: SessionStore, whose: SessionsOf): Promise<ListedSession[]>;
  /** Tells logins that are under way at this moment that they come too late. */
  refuseBegun(store: SessionStore, whose: SessionsOf): Promise<void>;
  /** Whether {@link refuseBegun} was called since a login began, in epoch seconds. */
  isRefused(store: SessionStore, mark: LoginMark, begunAt: number): Promise<boolean>;
}

/** A session in an entry of the index. */
type Item = [sessionId: string, loggedInAt: number, maxAgeMs: number | null, hasSid: 0 | 1];

/** The characters of base64url: a digest's first one chooses the entry. */
const buckets = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

/** Lists that have grown to 8, 16, 32 … items are cleared of sessions that have expired. */
const leastPruned = 8;

/** Sessions that end with the browser's are kept by a store for a time of its own; at most so long. */
const endlessMs = 30 * 86_400_000;

const [leaseSeconds, waitSeconds] = [10, 20];

type IndexOptions = Pick<
  ResolvedOptions,
  'sessionKey' | 'issuer' | 'clientId' | 'tenant' | 'transactionTtlSeconds' | 'now'
>;

export function createSessionIndex(options: IndexOptions, lock: Lock): SessionIndex {
  const { sessionKey, issuer, clientId, tenant } = options;

  // Of this client and tenant only: applications that share a store may have users in common.
  const ofClient = (digest: string): string =>
    JSON.stringify(tenant === undefined ? [clientId, digest] : [clientId, digest, tenant]);

  const keyOf = (kind: string, digest: string): string =>
    recordKey(sessionKey, `${kind}:${shortDigest(ofClient(digest), 16)}`);

  const keysOf = ({
    user,
    sid,
    session,
  }: Pick<LoginMark, 'user' | 'sid' | 'session'>): string[] => [
    `${keyOf('sub', user)}:${session.slice(0, 1)}`,
    ...(sid === undefined ? [] : [keyOf('sid', sid)]),
  ];

  const read = async (store: SessionStore, key: string): Promise<Item[]> => {
    const items = (await readEntry(store, key))?.[sessionKey];
    return Array.isArray(items) ? (items as Item[]) : [];
  };

  /** An entry lives as long as the session in it that lives longest. */
  const write = async (store: SessionStore, key: string, items: Item[]): Promise<void> => {
    if (items.length === 0) return destroyEntry(store, key);
    const originalMaxAge = Math.max(...items.map(([, , maxAgeMs]) => maxAgeMs ?? endlessMs));
    const cookie = recordCookie({ originalMaxAge }, options.now());
    await writeEntry(store, key, { cookie, [sessionKey]: items });
  };

  /** Reads and writes an entry, with nobody between; `undefined` leaves it as it is. */
  const change = async (
    store: SessionStore,
    key: string,
    next: (items: Item[]) => Item[] | undefined | Promise<Item[] | undefined>,
  ): Promise<void> => {
    const release = await lock.acquire(key, leaseSeconds, waitSeconds);
    if (release === undefined) throw new LockError(new Error('the index is busy'));
    try {
      const items = await next(await read(store, key));
      if (items !== undefined) await write(store, key, items);
    } finally {
      void release();
    }
  };

  /** A login that is being completed has a record and no session yet; an idle one may have lost the record. */
  const isAlive = async (store: SessionStore, [sessionId]: Item): Promise<boolean> =>
    (await readEntry(store, recordKey(sessionKey, sessionId))) !== undefined ||
    (await readEntry(store, sessionId)) !== undefined;

  const withoutExpired = async (store: SessionStore, items: Item[]): Promise<Item[]> => {
    const isDue = items.length >= leastPruned && Number.isInteger(Math.log2(items.length));
    if (!isDue) return items;
    const alive = await Promise.all(items.map((item) => isAlive(store, item)));
    return items.filter((_item, index) => alive[index]);
  };

  return {
    async add({ store, sessionId }, mark, loggedInAt, cookie) {
      const hasSid = mark.sid === undefined ? 0 : 1;
      const item: Item = [sessionId, loggedInAt, cookie.originalMaxAge ?? null, hasSid];
      for (const key of keysOf(mark)) {
        await change(store, key, async (items) => {
          const others = items.filter(([other]) => other !== sessionId);
          return [...(await withoutExpired(store, others)), item];
        });
      }
    },

    async remove({ store, sessionId }, mark) {
      for (const key of keysOf(mark)) {
        await change(store, key, (items) => {
          const others = items.filter(([other]) => other !== sessionId);
          return others.length < items.length ? others : undefined;
        });
      }
    },

    async list(store, { sid, sub }) {
      const keys =
        sid === undefined
          ? buckets.map((bucket) => `${keyOf('sub', userDigest(issuer, String(sub)))}:${bucket}`)
          : [keyOf('sid', sidDigest(issuer, sid))];
      const items = (await Promise.all(keys.map((key) => read(store, key)))).flat();
      return items.map(([sessionId, loggedInAt, , hasSid]) => ({
        sessionId,
        loggedInAt,
        hasSid: hasSid === 1,
      }));
    },

    async refuseBegun(store, { sid, sub }) {
      const digest = sid === undefined ? userDigest(issuer, String(sub)) : sidDigest(issuer, sid);
      // No login takes longer than this, so none that had begun by now is left after it.
      const originalMaxAge = options.transactionTtlSeconds * 1000;
      const cookie = recordCookie({ originalMaxAge }, options.now());
      await writeEntry(store, keyOf('ended', digest), { cookie, [sessionKey]: options.now() });
    },

    async isRefused(store, { user, sid }, begunAt) {
      for (const digest of [user, ...(sid === undefined ? [] : [sid])]) {
        const endedAt = (await readEntry(store, keyOf('ended', digest)))?.[sessionKey];
        // Within the same second nobody can tell which was first.
        if (typeof endedAt === 'number' && begunAt <= endedAt / 1000) return true;
      }
      return false;
    },
  };
}
