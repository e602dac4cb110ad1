import { BoundedMap } from '../bounded-map.ts';
import {
  type Done,
  destroyEntry,
  readEntry,
  type SessionStore,
  type StoredEntry,
  settle,
} from './session-store.ts';
import { recordCookie, recordKey } from './token-store.ts';

/** A record's end is moved by no less than this; entries outlive sessions by as much. */
const resolutionSeconds = 60;

/** Sessions whose end is remembered; for others it is only written once more. */
const maxRemembered = 10_000;

/** One flow, as far as the lives of its records go. */
export interface RecordFollower {
  readonly sessionKey: string;
  readonly now: () => number;
  readonly idleLifetimeSeconds: number | undefined;
  /** Called when the life of a session is prolonged, as seldom as that of its record. */
  readonly onProlonged: (sessionId: string, entry: StoredEntry) => Promise<unknown>;
  /**
   * Ends the login of a session; called before the session itself is destroyed.
   *
   * @returns what to do after that
   */
  readonly endRecord: (sessionId: string) => Promise<(() => Promise<void>) | undefined>;
  /** Whether a session is marked with a login of its own that has no record any more. */
  readonly hasEnded: (sessionId: string, mark: unknown) => Promise<boolean>;
}

/** The flows that use a store. */
type Followers = Set<RecordFollower>;

const followers = new WeakMap<SessionStore, Followers>();

/**
 * Makes records live and die with their sessions, whoever ends or prolongs these: the application
 * calls `req.session.destroy()` and express-session touches without knowing of any record, and
 * stores tell nobody. So the three operations of this store object are extended, once for all
 * flows that share it.
 */
export function followSessions(store: SessionStore, follower: RecordFollower): void {
  const known = followers.get(store);
  if (known !== undefined) {
    known.add(follower);
    return;
  }
  const all: Followers = new Set([follower]);
  /** Sessions that are being destroyed here, or were: nobody gets their ids again. */
  const ended = new BoundedMap<string, true>(maxRemembered);
  followers.set(store, all);
  followThrows(store);
  followDestroy(store, all, ended);
  followTouch(store, all);
  followSave(store, all, ended);
}

/** The session keys of all flows that use a store. */
export function sessionKeysOf(store: SessionStore): string[] {
  return [...(followers.get(store) ?? [])].map(({ sessionKey }) => sessionKey);
}

/**
 * A store that throws in place of calling back is made to call back. express-session saves at the end of a
 * response and lets go of that when the store throws: no error handler can answer any more, and the request hangs.
 */
function followThrows(store: SessionStore): void {
  const { set, destroy, touch } = store;
  store.set = (sid, entry, done) =>
    callBack(done, (settled) => set.call(store, sid, entry, settled));
  store.destroy = (sid, done) => callBack(done, (settled) => destroy.call(store, sid, settled));
  if (touch === undefined) return;
  store.touch = (sid, entry, done) =>
    callBack(done, (settled) => touch.call(store, sid, entry, settled));
}

function callBack(done: Done | undefined, operation: (settled: Done) => void): void {
  let isSettled = false;
  try {
    operation((error) => {
      isSettled = true;
      done?.(error);
    });
  } catch (error) {
    // What is thrown by who was called back is theirs.
    if (isSettled || done === undefined) throw error;
    done(error);
  }
}

function followDestroy(store: SessionStore, all: Followers, ended: BoundedMap<string, true>): void {
  const destroy = store.destroy.bind(store);
  store.destroy = (sid, done) => {
    if (isRecord(sid, all)) {
      destroy(sid, done);
      return;
    }
    ended.set(sid, true);
    const finish = (error?: unknown): void => {
      // What could not be destroyed goes on.
      if (error) ended.delete(sid);
      done?.(error);
    };
    const ends = [...all].map((follower) => follower.endRecord(sid));
    Promise.all(ends)
      .then(async (afterward) => {
        await settle((destroyed) => destroy(sid, destroyed));
        for (const after of afterward) await after?.();
      })
      .then(() => finish(), finish);
  };
}

/** Sessions that have just been made: what was saved of them, `undefined` while that goes on. */
const newSessions = new WeakMap<object, string | undefined>();

/**
 * Saves a session that nobody knows of yet, so that no login of it can have ended. express-session will
 * save it once more at the end of the request, as it does with every session whose id is new: that
 * is left out unless something was changed.
 *
 * @throws {@link SessionStoreError}
 */
export async function saveNewSession(
  session: StoredEntry & { save(done: (error: unknown) => void): void },
): Promise<void> {
  newSessions.set(session, undefined);
  try {
    await settle((done) => session.save(done));
    newSessions.set(session, contentOf(session));
  } catch (error) {
    newSessions.delete(session);
    throw error;
  }
}

/** Without the end of the cookie, which moves on. */
function contentOf({ cookie, ...data }: StoredEntry): string {
  return JSON.stringify([{ ...cookie, _expires: undefined }, data]);
}

function followTouch(store: SessionStore, all: Followers): void {
  if (store.touch === undefined) return;
  const touch = store.touch.bind(store);
  const set = store.set.bind(store);
  const ends = new BoundedMap<string, number>(maxRemembered);

  const moveEnd = (sid: string, entry: StoredEntry): void => {
    if (isRecord(sid, all)) return;
    for (const { sessionKey, now, idleLifetimeSeconds, onProlonged } of all) {
      const key = recordKey(sessionKey, sid);
      // Not by the time that has passed: an application may make a session longer, or shorter, at
      // any moment. One without an end of its own goes as long after this moment as the store likes.
      const end = now() + (entry.cookie.originalMaxAge ?? 0);
      const isDue = Math.abs(end - (ends.get(key) ?? 0)) >= resolutionSeconds * 1000;
      if (entry[sessionKey] === undefined || !isDue) continue;
      const isNew = !ends.has(key) && newSessions.has(entry);
      ends.set(key, end);
      // A record that is being made has the same end from the start.
      if (isNew) continue;
      // A failure shows at the next request, which finds no record and asks for a login.
      const cookie = recordCookie(entry.cookie, now(), idleLifetimeSeconds);
      touch(key, { cookie }, () => undefined);
      onProlonged(sid, entry).catch(() => undefined);
    }
  };

  store.touch = (sid, entry, done) => {
    moveEnd(sid, entry);
    touch(sid, entry, done);
  };
  store.set = (sid, entry, done) => {
    moveEnd(sid, entry);
    set(sid, entry, done);
  };
}

/**
 * A request that was running while its login ended saves its session in the end, and would bring it
 * back: not to the guard, which asks for the record, but to everybody who looks at the session, as
 * Passport does. So a session that is marked with a login is not made anew without the login's record,
 * and is destroyed if the login ended meanwhile.
 */
function followSave(store: SessionStore, all: Followers, ended: ReadonlyMap<string, true>): void {
  const save = store.set.bind(store);
  const saveIfAlive = async (sid: string, entry: StoredEntry): Promise<void> => {
    if (ended.has(sid)) return;
    const wasAlive = await isAlive(sid, entry, all);
    // A record may also get lost, by a store that is full or a secret that was dropped. Then the
    // session is there still, and has to work.
    if (!wasAlive && (await readEntry(store, sid)) === undefined) return;
    await settle((done) => save(sid, entry, done));
    const isEnded = ended.has(sid) || (wasAlive && !(await isAlive(sid, entry, all)));
    if (isEnded) await destroyEntry(store, sid);
  };
  store.set = (sid, entry, done) => {
    const isMarked =
      !isRecord(sid, all) && [...all].some(({ sessionKey }) => entry[sessionKey] !== undefined);
    if (!isMarked) {
      save(sid, entry, done);
      return;
    }
    if (newSessions.has(entry)) {
      const saved = newSessions.get(entry);
      if (saved === undefined && !ended.has(sid)) {
        save(sid, entry, done);
        return;
      }
      newSessions.delete(entry);
      if (saved === contentOf(entry)) {
        done?.();
        return;
      }
    }
    saveIfAlive(sid, entry).then(
      () => done?.(),
      (error: unknown) => done?.(error),
    );
  };
}

/** Of flows with the same session key, as after a restart with another secret, one that knows the login is enough. */
async function isAlive(sid: string, entry: StoredEntry, all: Followers): Promise<boolean> {
  const marked = [...all].filter(({ sessionKey }) => entry[sessionKey] !== undefined);
  for (const key of new Set(marked.map(({ sessionKey }) => sessionKey))) {
    const ofKey = marked.filter(({ sessionKey }) => sessionKey === key);
    const ended = await Promise.all(ofKey.map(({ hasEnded }) => hasEnded(sid, entry[key])));
    if (ended.every(Boolean)) return false;
  }
  return true;
}

function isRecord(sid: string, all: Followers): boolean {
  return [...all].some(({ sessionKey }) => sid.startsWith(recordKey(sessionKey, '')));
}
