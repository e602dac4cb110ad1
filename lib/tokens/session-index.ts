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
export type SessionsOf = { readonly sid: string } | { readonly sub: string };

/**
 * Finds the sessions of a subject, or of a session at the OP, in the application's session store:
 * stores have no queries. Entries list session ids; those of a subject are spread over 64 entries, so
 * that a login writes a small one however many sessions the subject has.
 */
export interface SessionIndex {
  /** Lists a session, before it is made. */
  add(place: RecordPlace, mark: LoginMark, loggedInAt: number, cookie: StoredCookie): Promise<void>;
  /** Whether a session is still listed; one that is not was ended. */
  has(place: RecordPlace, mark: LoginMark): Promise<boolean>;
  /** Makes the entries live as long as the session. */
  prolong(place: RecordPlace, mark: LoginMark, cookie: StoredCookie): Promise<void>;
  remove(place: RecordPlace, mark: Pick<LoginMark, 'user' | 'sid' | 'session'>): Promise<void>;
  /**
   * Takes sessions off the list, for the caller to end them.
   *
   * @param until epoch seconds: sessions of logins after this moment stay
   */
  take(store: SessionStore, whose: SessionsOf, until: number): Promise<string[]>;
  /**
   * Remembers a name for so long; of all who bring it one is the first.
   *
   * @returns whether it is new
   */
  claim(store: SessionStore, name: string, seconds: number): Promise<boolean>;
}

/** A session in an entry of the index. */
type Item = [sessionId: string, loggedInAt: number, maxAgeMs: number | null];

/** The characters of base64url: a digest's first one chooses the entry. */
const buckets = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

/** Lists that have grown to 8, 16, 32 … items are cleared of sessions that have expired. */
const leastPruned = 8;

const [leaseSeconds, waitSeconds] = [10, 20];

type IndexOptions = Pick<ResolvedOptions, 'sessionKey' | 'issuer' | 'clientId' | 'now'>;

export function createSessionIndex(options: IndexOptions, lock: Lock): SessionIndex {
  const { sessionKey, issuer, clientId } = options;

  // Of this client only: applications that share a store may have users in common.
  const keyOf = (kind: string, digest: string): string =>
    recordKey(sessionKey, `${kind}:${shortDigest(JSON.stringify([clientId, digest]), 16)}`);

  const userKey = (user: string, bucket: string): string => `${keyOf('sub', user)}:${bucket}`;

  const keysOf = ({
    user,
    sid,
    session,
  }: Pick<LoginMark, 'user' | 'sid' | 'session'>): string[] => [
    userKey(user, session.slice(0, 1)),
    ...(sid === undefined ? [] : [keyOf('sid', sid)]),
  ];

  const read = async (store: SessionStore, key: string): Promise<Item[]> => {
    const items = (await readEntry(store, key))?.[sessionKey];
    return Array.isArray(items) ? (items as Item[]) : [];
  };

  const write = async (store: SessionStore, key: string, items: Item[]): Promise<void> => {
    if (items.length === 0) return destroyEntry(store, key);
    await writeEntry(store, key, { cookie: cookieOf(items), [sessionKey]: items });
  };

  /** An entry lives as long as the session in it that lives longest. */
  const cookieOf = (items: readonly Item[]): StoredCookie => {
    const ages = items.map(([, , maxAgeMs]) => maxAgeMs).filter((age) => age !== null);
    const originalMaxAge = ages.length > 0 ? Math.max(...ages) : null;
    return recordCookie({ originalMaxAge }, options.now());
  };

  /** Reads and writes an entry, with nobody between. */
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

  const isAlive = async (store: SessionStore, [sessionId]: Item): Promise<boolean> =>
    (await readEntry(store, recordKey(sessionKey, sessionId))) !== undefined;

  const withoutExpired = async (store: SessionStore, items: Item[]): Promise<Item[]> => {
    const isDue = items.length >= leastPruned && Number.isInteger(Math.log2(items.length));
    if (!isDue) return items;
    const alive = await Promise.all(items.map((item) => isAlive(store, item)));
    return items.filter((_item, index) => alive[index]);
  };

  const isOf =
    (sessionId: string) =>
    ([other]: Item): boolean =>
      other === sessionId;

  return {
    async add({ store, sessionId }, mark, loggedInAt, cookie) {
      const item: Item = [sessionId, loggedInAt, cookie.originalMaxAge ?? null];
      for (const key of keysOf(mark)) {
        await change(store, key, async (items) => [...(await withoutExpired(store, items)), item]);
      }
    },

    async has({ store, sessionId }, mark) {
      for (const key of keysOf(mark)) {
        if (!(await read(store, key)).some(isOf(sessionId))) return false;
      }
      return true;
    },

    async prolong({ store, sessionId }, mark, cookie) {
      for (const key of keysOf(mark)) {
        await change(store, key, (items) => {
          const found = items.find(isOf(sessionId));
          // A session that is not listed has been ended, or its entry was lost: nothing tells which.
          if (found === undefined) return undefined;
          const item: Item = [sessionId, found[1], cookie.originalMaxAge ?? null];
          return items.map((other) => (other === found ? item : other));
        });
      }
    },

    async remove({ store, sessionId }, mark) {
      for (const key of keysOf(mark)) {
        await change(store, key, (items) => {
          const others = items.filter((item) => item[0] !== sessionId);
          return others.length < items.length ? others : undefined;
        });
      }
    },

    async take(store, whose, until) {
      const keys =
        'sid' in whose
          ? [keyOf('sid', sidDigest(issuer, whose.sid))]
          : buckets.map((bucket) => userKey(userDigest(issuer, whose.sub), bucket));
      const taken = keys.map(async (key) => {
        let found: Item[] = [];
        // Most entries of a subject are empty, and need no lock to be seen so.
        if ((await read(store, key)).length === 0) return found;
        await change(store, key, (items) => {
          found = items.filter(([, loggedInAt]) => loggedInAt <= until);
          return items.filter(([, loggedInAt]) => loggedInAt > until);
        });
        return found;
      });
      return (await Promise.all(taken)).flat().map(([sessionId]) => sessionId);
    },

    async claim(store, name, seconds) {
      const key = keyOf('once', name);
      const release = await lock.acquire(key, leaseSeconds, waitSeconds);
      if (release === undefined) throw new LockError(new Error('the index is busy'));
      try {
        const isNew = (await readEntry(store, key)) === undefined;
        const cookie = recordCookie({ originalMaxAge: seconds * 1000 }, options.now());
        if (isNew) await writeEntry(store, key, { cookie, [sessionKey]: true });
        return isNew;
      } finally {
        void release();
      }
    },
  };
}
