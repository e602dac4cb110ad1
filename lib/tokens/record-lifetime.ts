import { BoundedMap } from '../bounded-map.ts';
import {
  destroyEntry,
  readEntry,
  type SessionStore,
  type StoredEntry,
  settle,
} from './session-store.ts';
import { recordCookie, recordKey } from './token-store.ts';

/** A record's life is prolonged no more often than this; entries outlive sessions by as much. */
const resolutionSeconds = 60;

/** Sessions whose last prolongation is remembered; for others it only happens once more. */
const maxRemembered = 10_000;

/** One flow, as far as the lives of its records go. */
export interface RecordFollower {
  readonly sessionKey: string;
  readonly now: () => number;
  /** Ends the login of a session; called before the session itself is destroyed. */
  readonly endRecord: (sessionId: string) => Promise<unknown>;
  /** Whether the login that a session is marked with has a record still. */
  readonly hasRecord: (sessionId: string, mark: unknown) => Promise<boolean>;
}

/** The flows that use a store, by their session keys. */
const followers = new WeakMap<SessionStore, Map<string, RecordFollower>>();

/**
 * Makes records live and die with their sessions, whoever ends or prolongs these: the application
 * calls `req.session.destroy()` and express-session touches without knowing of any record, and
 * stores tell nobody. So the three operations of this store object are extended, once for all
 * flows that share it.
 */
export function followSessions(store: SessionStore, follower: RecordFollower): void {
  const known = followers.get(store);
  if (known !== undefined) {
    if (!known.has(follower.sessionKey)) known.set(follower.sessionKey, follower);
    return;
  }
  const all = new Map([[follower.sessionKey, follower]]);
  followers.set(store, all);
  followDestroy(store, all);
  followTouch(store, all);
  followSave(store, all);
}

/** The session keys of all flows that use a store. */
export function sessionKeysOf(store: SessionStore): string[] {
  return [...(followers.get(store)?.keys() ?? [])];
}

function followDestroy(store: SessionStore, all: ReadonlyMap<string, RecordFollower>): void {
  const destroy = store.destroy.bind(store);
  store.destroy = (sid, done) => {
    if (isRecord(sid, all)) {
      destroy(sid, done);
      return;
    }
    const ends = [...all.values()].map((follower) => follower.endRecord(sid));
    Promise.all(ends).then(
      () => destroy(sid, done),
      (error: unknown) => done?.(error),
    );
  };
}

function followTouch(store: SessionStore, all: ReadonlyMap<string, RecordFollower>): void {
  if (store.touch === undefined) return;
  const touch = store.touch.bind(store);
  const set = store.set.bind(store);
  const prolongedAt = new BoundedMap<string, number>(maxRemembered);

  const prolong = (sid: string, entry: StoredEntry): void => {
    if (isRecord(sid, all)) return;
    for (const { sessionKey, now } of all.values()) {
      const key = recordKey(sessionKey, sid);
      const isDue = now() - (prolongedAt.get(key) ?? 0) >= resolutionSeconds * 1000;
      if (entry[sessionKey] === undefined || !isDue) continue;
      prolongedAt.set(key, now());
      // A failure shows at the next request, which finds no record and asks for a login.
      touch(key, { cookie: recordCookie(entry.cookie, now()) }, () => undefined);
    }
  };

  store.touch = (sid, entry, done) => {
    prolong(sid, entry);
    touch(sid, entry, done);
  };
  store.set = (sid, entry, done) => {
    prolong(sid, entry);
    set(sid, entry, done);
  };
}

/**
 * A request that was running while its login ended saves its session in the end, and would bring it
 * back: not to the guard, which asks for the record, but to everybody who looks at the session, as
 * Passport does. So a session that is marked with a login is not made anew without the login's record,
 * and is destroyed if the login ended meanwhile.
 */
function followSave(store: SessionStore, all: ReadonlyMap<string, RecordFollower>): void {
  const save = store.set.bind(store);
  const saveIfAlive = async (sid: string, entry: StoredEntry): Promise<void> => {
    const wasAlive = await isAlive(sid, entry, all);
    // A record may also get lost, by a store that is full or a secret that was dropped. Then the
    // session is there still, and has to work.
    if (!wasAlive && (await readEntry(store, sid)) === undefined) return;
    await settle((done) => save(sid, entry, done));
    if (wasAlive && !(await isAlive(sid, entry, all))) await destroyEntry(store, sid);
  };
  store.set = (sid, entry, done) => {
    const isMarked = !isRecord(sid, all) && [...all.keys()].some((key) => entry[key] !== undefined);
    if (!isMarked) {
      save(sid, entry, done);
      return;
    }
    saveIfAlive(sid, entry).then(
      () => done?.(),
      (error: unknown) => done?.(error),
    );
  };
}

async function isAlive(
  sid: string,
  entry: StoredEntry,
  all: ReadonlyMap<string, RecordFollower>,
): Promise<boolean> {
  for (const { sessionKey, hasRecord } of all.values()) {
    const mark = entry[sessionKey];
    if (mark !== undefined && !(await hasRecord(sid, mark))) return false;
  }
  return true;
}

function isRecord(sid: string, all: ReadonlyMap<string, RecordFollower>): boolean {
  return [...all.keys()].some((sessionKey) => sid.startsWith(recordKey(sessionKey, '')));
}
