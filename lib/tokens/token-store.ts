import { BoundedMap } from '../bounded-map.ts';
import type { ResolvedOptions } from '../options.ts';
import { createRecordFormat } from './record-format.ts';
import type { Sealer } from './seal.ts';
import {
  destroyEntry,
  readEntry,
  type SessionStore,
  type StoredCookie,
  writeEntry,
} from './session-store.ts';
import type { TokenRecord } from './token-record.ts';

/** Where a login's record is: in which store, beside which session. */
export interface RecordPlace {
  readonly store: SessionStore;
  readonly sessionId: string;
}

/** A login as the store has it. */
export interface StoredLogin {
  readonly place: RecordPlace;
  readonly record: TokenRecord;
  /** Cookie of the session, which says how long things live. */
  readonly cookie: StoredCookie;
}

/**
 * Token records, in the application's own session store and apart from its sessions: the
 * application saves whole sessions, last writer wins, and would bring back old tokens.
 */
export interface TokenStore {
  /** The record beside a session; `undefined` when there is none, or when it does not open. */
  read(place: RecordPlace): Promise<TokenRecord | undefined>;
  /** Whether there is a record, also one that does not open: sealed by a secret not known here. */
  exists(place: RecordPlace): Promise<boolean>;
  /** Writes a record; it lives as long as the session whose cookie is given. */
  write(place: RecordPlace, record: TokenRecord, cookie: StoredCookie): Promise<void>;
  /**
   * Writes a record if the one in the store is still the version before it. Under the lock only:
   * the interface of session stores has no compare-and-set.
   *
   * @returns whether it was written
   */
  replace(place: RecordPlace, record: TokenRecord, cookie: StoredCookie): Promise<boolean>;
  remove(place: RecordPlace): Promise<void>;
}

/** Records of the sessions last seen that are kept in the clear; each takes two kilobytes or three. */
const maxOpened = 5000;

/** Records that were opened; flows that come and go share them, so that there is one bound. */
export type OpenedRecords = Map<string, OpenedRecord>;

export function createOpenedRecords(): OpenedRecords {
  return new BoundedMap(maxOpened);
}

interface OpenedRecord {
  /** What the store held: the record is taken for no other. */
  readonly sealed: string;
  readonly record: TokenRecord;
}

/** An entry outlives its session by this much, as their ends are set at different moments. */
const slackSeconds = 60;

export function createTokenStore(
  sealer: Sealer,
  options: Pick<
    ResolvedOptions,
    'sessionKey' | 'issuer' | 'clientId' | 'tenant' | 'idleLifetimeSeconds' | 'now'
  >,
  opened: OpenedRecords = createOpenedRecords(),
): TokenStore {
  const keyOf = (place: RecordPlace): string => recordKey(options.sessionKey, place.sessionId);

  // A refresh token goes to the OP that it is of, whoever shares the store and the secret.
  const purposeOf = (key: string): string =>
    JSON.stringify([key, options.issuer, options.clientId]);

  const format = createRecordFormat(options);

  // Shared with other tenants, whose records must not be found; nor those of another client of this one.
  const openedPrefix =
    options.tenant === undefined
      ? ''
      : `${JSON.stringify([options.tenant, options.issuer, options.clientId])} `;
  const openedKey = (key: string): string => `${openedPrefix}${key}`;

  // The store is asked on every request; what it gives is opened once.
  const open = (key: string, sealed: unknown): TokenRecord | undefined => {
    if (typeof sealed !== 'string') return undefined;
    const before = opened.get(openedKey(key));
    if (before?.sealed === sealed) return before.record;
    const bytes = sealer.openBytes(sealed, purposeOf(key));
    const record = bytes && format.read(bytes);
    if (record !== undefined) opened.set(openedKey(key), { sealed, record });
    return record;
  };

  const cookieOf = (cookie: StoredCookie): StoredCookie =>
    recordCookie(cookie, options.now(), options.idleLifetimeSeconds);

  const write = (place: RecordPlace, record: TokenRecord, cookie: StoredCookie): Promise<void> => {
    const key = keyOf(place);
    const sealed = sealer.seal(format.write(record), purposeOf(key));
    return writeEntry(place.store, key, { cookie, [options.sessionKey]: sealed });
  };

  return {
    async read(place) {
      const key = keyOf(place);
      const entry = await readEntry(place.store, key);
      return open(key, entry?.[options.sessionKey]);
    },

    async exists(place) {
      return (await readEntry(place.store, keyOf(place))) !== undefined;
    },

    write(place, record, cookie) {
      return write(place, record, cookieOf(cookie));
    },

    async replace(place, record, cookie) {
      const key = keyOf(place);
      const entry = await readEntry(place.store, key);
      const stored = open(key, entry?.[options.sessionKey]);
      if (stored?.loginId !== record.loginId || stored.version !== record.version - 1) return false;
      await write(place, record, cookieOf(cookie));
      return true;
    },

    remove(place) {
      const key = keyOf(place);
      opened.delete(openedKey(key));
      return destroyEntry(place.store, key);
    },
  };
}

/** The store's key of a record. No session id can be forged into it: the session cookie is signed. */
export function recordKey(sessionKey: string, sessionId: string): string {
  return `${sessionKey}:${sessionId}`;
}

/**
 * Stores read the end of an entry from `expires` or from `maxAge`; without either they use their own.
 *
 * @param idleSeconds the entry ends earlier than its session, when it is not prolonged for so long
 */
export function recordCookie(
  cookie: StoredCookie,
  nowMs: number,
  idleSeconds: number = Number.POSITIVE_INFINITY,
): StoredCookie {
  const ofSession = cookie.originalMaxAge ?? Number.POSITIVE_INFINITY;
  const shorter = Math.min(ofSession, idleSeconds * 1000);
  if (!Number.isFinite(shorter)) return { originalMaxAge: null, expires: null };
  const maxAge = shorter + slackSeconds * 1000;
  const cookieOfRecord = { originalMaxAge: maxAge, expires: new Date(nowMs + maxAge) };
  // As on express-session's own cookies: there to be read, and not stored.
  return Object.defineProperty(cookieOfRecord, 'maxAge', { value: maxAge });
}
