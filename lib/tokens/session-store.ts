import { SessionStoreError } from '../errors.ts';

/** The part of a session's cookie that decides how long a store keeps an entry. */
export interface StoredCookie {
  readonly originalMaxAge?: number | null | undefined;
  readonly expires?: Date | string | null | undefined;
  readonly maxAge?: number | null | undefined;
}

/** An entry of the session store. */
export interface StoredEntry {
  readonly cookie: StoredCookie;
  readonly [name: string]: unknown;
}

/** Called back when an operation of a store is over. */
export type Done = (error?: unknown) => void;

/** An express-session store, as far as this library uses it. */
export interface SessionStore {
  get(sid: string, done: (error: unknown, entry?: StoredEntry | null) => void): void;
  set(sid: string, entry: StoredEntry, done?: Done): void;
  destroy(sid: string, done?: Done): void;
  touch?: ((sid: string, entry: StoredEntry, done?: Done) => void) | undefined;
}

/** @throws {@link SessionStoreError} */
export function readEntry(store: SessionStore, sid: string): Promise<StoredEntry | undefined> {
  return new Promise((resolve, reject) => {
    try {
      store.get(sid, (error, entry) => {
        // Some stores say "not there" by ENOENT, as express-session itself expects.
        if (!error || (error as { code?: unknown }).code === 'ENOENT') resolve(entry ?? undefined);
        else reject(new SessionStoreError(error));
      });
    } catch (error) {
      // A store may throw before it has anything to call back with.
      reject(new SessionStoreError(error));
    }
  });
}

/** @throws {@link SessionStoreError} */
export function writeEntry(store: SessionStore, sid: string, entry: StoredEntry): Promise<void> {
  return settle((done) => store.set(sid, entry, done));
}

/** @throws {@link SessionStoreError} */
export function destroyEntry(store: SessionStore, sid: string): Promise<void> {
  return settle((done) => store.destroy(sid, done));
}

/** Runs a callback-style operation of the session or its store. @throws {@link SessionStoreError} */
export function settle(operation: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    try {
      operation((error) => (error ? reject(new SessionStoreError(error)) : resolve()));
    } catch (error) {
      // A store may throw before it has anything to call back with.
      reject(new SessionStoreError(error));
    }
  });
}
