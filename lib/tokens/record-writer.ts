import { setTimeout as delay } from 'node:timers/promises';
import { BoundedMap } from '../bounded-map.ts';
import { AuthenticationError, SessionStoreError } from '../errors.ts';
import type { TokenRecord } from './token-record.ts';
import { recordKey, type StoredLogin, type TokenStore } from './token-store.ts';

/** Waits between the tries to write what a store fails to take. */
const retryMilliseconds = [20, 100, 400];

/** Logins whose troubles are remembered. */
const maxRemembered = 10_000;

/** What became of a renewed record. */
export interface Written {
  /** The record that holds from now on. */
  readonly record: TokenRecord;
  /** Somebody else has renewed the login at the same time, and theirs holds. */
  readonly isOutrun: boolean;
}

/** Writes renewed records, and loses none of them. */
export interface RecordWriter {
  /**
   * Writes a record that was renewed under the lock. A store that fails just now costs nobody the
   * login: the record is remembered here, and written when it is next asked for.
   *
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED` when the login has ended meanwhile
   */
  write(login: StoredLogin, renewed: TokenRecord): Promise<Written>;
  /** The record to go on from: what is in the store, or what the store failed to take before. */
  newest(login: StoredLogin, stored: TokenRecord): Promise<TokenRecord>;
  forget(key: string): void;
}

export function createRecordWriter(tokenStore: TokenStore, sessionKey: string): RecordWriter {
  /** Renewed records that the store failed to take: their refresh tokens exist nowhere else. */
  const unwritten = new BoundedMap<string, TokenRecord>(maxRemembered);

  const write = async (login: StoredLogin, renewed: TokenRecord): Promise<Written> => {
    const key = recordKey(sessionKey, login.place.sessionId);
    try {
      const isWritten = await replaceWithPatience(tokenStore, login, renewed);
      unwritten.delete(key);
      if (isWritten) return { record: renewed, isOutrun: false };
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      unwritten.set(key, renewed);
      return { record: renewed, isOutrun: false };
    }
    // Somebody else wrote first, where no lock is shared or a lease ran out: theirs is as good.
    const stored = await tokenStore.read(login.place);
    if (stored?.loginId !== renewed.loginId) throw endedMeanwhile();
    return { record: stored, isOutrun: true };
  };

  return {
    write,
    async newest(login, stored) {
      const kept = unwritten.get(recordKey(sessionKey, login.place.sessionId));
      const isNext = kept?.loginId === stored.loginId && kept.version === stored.version + 1;
      if (!isNext) return stored;
      const { record } = await write(login, kept);
      // Counted from what is in the store, which may have failed to take it again.
      return unwritten.has(recordKey(sessionKey, login.place.sessionId))
        ? { ...record, version: stored.version }
        : record;
    },
    forget(key) {
      unwritten.delete(key);
    },
  };
}

/** Still under the lock, as another process would send the refresh token that is spent by now. */
async function replaceWithPatience(
  tokenStore: TokenStore,
  { place, cookie }: StoredLogin,
  renewed: TokenRecord,
): Promise<boolean> {
  for (const milliseconds of retryMilliseconds) {
    try {
      return await tokenStore.replace(place, renewed, cookie);
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      await delay(milliseconds);
    }
  }
  return tokenStore.replace(place, renewed, cookie);
}

/** The login has ended while something was done for it. */
export function endedMeanwhile(): AuthenticationError {
  return new AuthenticationError('ERR_OIDC_LOGIN_ENDED', 'the login was ended meanwhile');
}
