import { BoundedMap } from '../bounded-map.ts';
import type { SessionStore, StoredCookie, StoredEntry } from './session-store.ts';
import { recordCookie, recordKey } from './token-store.ts';

/** A record's life is prolonged no more often than this; entries outlive sessions by as much. */
const resolutionSeconds = 60;

/** Sessions whose last prolongation is remembered; for others it only happens once more. */
const maxRemembered = 10_000;

/** What the application does to sessions, told to the records beside them. */
export interface LifetimeOptions {
  readonly sessionKey: string;
  readonly now: () => number;
  /** Ends the login of a session; called before the session itself is destroyed. */
  readonly endRecord: (sessionId: string) => Promise<unknown>;
}

const followed = new WeakMap<SessionStore, Set<string>>();

/**
 * Makes records live and die with their sessions, whoever ends or prolongs these: the application
 * calls `req.session.destroy()` and express-session touches without knowing of any record, and
 * stores tell nobody. So the three operations of this store object are extended, once.
 */
export function followSessions(store: SessionStore, options: LifetimeOptions): void {
  const keys = followed.get(store) ?? new Set<string>();
  if (keys.has(options.sessionKey)) return;
  followed.set(store, keys.add(options.sessionKey));
  followDestroy(store, options);
  followTouch(store, options);
}

function followDestroy(store: SessionStore, options: LifetimeOptions): void {
  const destroy = store.destroy.bind(store);
  const prefix = recordKey(options.sessionKey, '');
  store.destroy = (sid, done) => {
    if (sid.startsWith(prefix)) return destroy(sid, done);
    options.endRecord(sid).then(
      () => destroy(sid, done),
      (error: unknown) => done?.(error),
    );
  };
}

function followTouch(store: SessionStore, options: LifetimeOptions): void {
  if (store.touch === undefined) return;
  const touch = store.touch.bind(store);
  const set = store.set.bind(store);
  const prolongedAt = new BoundedMap<string, number>(maxRemembered);

  const prolong = (sid: string, entry: StoredEntry): void => {
    const login: unknown = entry[options.sessionKey];
    // A record's own entry has a text under this name.
    if (typeof login !== 'object' || login === null) return;
    const now = options.now();
    if (now - (prolongedAt.get(sid) ?? 0) < resolutionSeconds * 1000) return;
    prolongedAt.set(sid, now);
    const cookie: StoredCookie = recordCookie(entry.cookie, now);
    // A failure shows at the next request, which finds no record and asks for a login.
    touch(recordKey(options.sessionKey, sid), { cookie }, () => undefined);
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
