import { BoundedMap } from '../bounded-map.ts';
import {
  AuthenticationError,
  ProviderError,
  SessionStoreError,
  ValidationError,
} from '../errors.ts';
import type { Lock, Release } from '../lock.ts';
import type { Provider } from '../oidc/provider.ts';
import { refreshTokens } from '../oidc/refresh-grant.ts';
import type { ResolvedOptions } from '../options.ts';
import type { StoredCookie } from './session-store.ts';
import { isExpired, isStale, renewTokenRecord, type TokenRecord } from './token-record.ts';
import { type RecordPlace, recordKey, type TokenStore } from './token-store.ts';

/** After a refresh that failed for reasons of the OP, a good token serves this long before the next try. */
const pauseSeconds = 10;

/** Logins whose troubles are remembered. */
const maxRemembered = 10_000;

/** Keeps access tokens fresh, with one spend for each refresh token. */
export interface FreshTokens {
  /**
   * The record with an access token that is fit for use: the one given, or a renewed one.
   *
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED` when the grant is dead
   * @throws {@link ProviderError} when the OP fails and the present token has expired
   */
  renew(place: RecordPlace, record: TokenRecord, cookie: StoredCookie): Promise<TokenRecord>;
  /**
   * The record after one whose access token an API has refused, though it had not expired.
   *
   * @throws as {@link renew}
   */
  replaceRejected(
    place: RecordPlace,
    rejected: TokenRecord,
    cookie: StoredCookie,
  ): Promise<TokenRecord>;
  /** Ends a login: waits for a refresh under way, then removes the record. */
  end(place: RecordPlace): Promise<void>;
}

interface Parts {
  readonly options: ResolvedOptions;
  readonly provider: Provider;
  readonly tokenStore: TokenStore;
  readonly lock: Lock;
}

export function createFreshTokens({ options, provider, tokenStore, lock }: Parts): FreshTokens {
  const underWay = new Map<string, Promise<TokenRecord>>();
  const pausedUntil = new BoundedMap<string, number>(maxRemembered);
  /** Renewed records that the store failed to take: their refresh tokens exist nowhere else. */
  const unwritten = new BoundedMap<string, TokenRecord>(maxRemembered);
  // A refresh makes three calls to the OP at the most: discovery, token endpoint, keys. The lease
  // outlives them, and who waits as long finds the lock of a process that has died.
  const leaseSeconds = 3 * options.httpTimeoutSeconds + 2;

  const acquire = async (key: string): Promise<Release | undefined> => {
    try {
      return await lock.acquire(key, leaseSeconds, leaseSeconds);
    } catch (error) {
      throw new SessionStoreError(error);
    }
  };

  /** A lock that cannot be given back ends with its lease. */
  const giveBack = async (release: Release | undefined): Promise<void> => {
    try {
      await release?.();
    } catch {
      // What was done under the lock is done.
    }
  };

  /** Under the lock. The record is read again: whoever had the lock before may have renewed it. */
  const renewOnce = async (
    place: RecordPlace,
    cookie: StoredCookie,
    rejectedVersion: number | undefined,
  ): Promise<TokenRecord> => {
    const stored = await tokenStore.read(place);
    if (stored === undefined) throw ended('the login was ended meanwhile');
    const record = await makeUpFor(place, stored, cookie);
    const isRejected = record.version === rejectedVersion;
    if (!isRejected && !isStale(record.tokens, options.now(), options.refreshMarginSeconds)) {
      return record;
    }
    const { refreshToken } = record.tokens;
    if (refreshToken === undefined) return withoutRefresh(record, options.now());
    try {
      const tokens = await refreshTokens({ ...record.tokens, refreshToken }, provider, options);
      // Counted from what is in the store, which may not have taken the record before.
      const base = unwritten.has(keyOf(place)) ? stored : record;
      return await keep(place, renewTokenRecord(base, tokens), cookie);
    } catch (error) {
      if (!isDeadGrant(error)) return afterOutage(place, record, error);
      await tokenStore.remove(place);
      throw ended('the OP ended the grant, or answered a refresh for somebody else', error);
    }
  };

  /**
   * Writes a renewed record. A store that fails just now costs nobody the login: the record is
   * remembered here, and written when it is next asked for.
   */
  const keep = async (
    place: RecordPlace,
    renewed: TokenRecord,
    cookie: StoredCookie,
  ): Promise<TokenRecord> => {
    const key = keyOf(place);
    try {
      const isWritten = await tokenStore.replace(place, renewed, cookie);
      unwritten.delete(key);
      if (!isWritten) return await latest(place, renewed);
    } catch (error) {
      if (!(error instanceof SessionStoreError)) throw error;
      unwritten.set(key, renewed);
    }
    return renewed;
  };

  /** Somebody else wrote first, where no lock is shared or a lease ran out: theirs is as good. */
  const latest = async (place: RecordPlace, renewed: TokenRecord): Promise<TokenRecord> => {
    const stored = await tokenStore.read(place);
    if (stored?.loginId !== renewed.loginId) throw ended('the login was ended meanwhile');
    return stored;
  };

  const makeUpFor = async (
    place: RecordPlace,
    stored: TokenRecord,
    cookie: StoredCookie,
  ): Promise<TokenRecord> => {
    const kept = unwritten.get(keyOf(place));
    const isNext = kept?.loginId === stored.loginId && kept.version === stored.version + 1;
    return isNext ? keep(place, kept, cookie) : stored;
  };

  /** An outage of the OP is no logout: the present token serves while it is valid. */
  const afterOutage = (place: RecordPlace, record: TokenRecord, error: unknown): TokenRecord => {
    const isOutage = error instanceof ProviderError;
    if (!isOutage || isExpired(record.tokens, options.now())) throw error;
    pausedUntil.set(keyOf(place), options.now() + pauseSeconds * 1000);
    return record;
  };

  const keyOf = (place: RecordPlace): string => recordKey(options.sessionKey, place.sessionId);

  const isPaused = (key: string, record: TokenRecord): boolean => {
    const until = pausedUntil.get(key);
    if (until === undefined) return false;
    if (options.now() < until && !isExpired(record.tokens, options.now())) return true;
    pausedUntil.delete(key);
    return false;
  };

  const renewLocked = async (
    place: RecordPlace,
    record: TokenRecord,
    cookie: StoredCookie,
    rejectedVersion: number | undefined,
  ): Promise<TokenRecord> => {
    const release = await acquire(keyOf(place));
    if (release === undefined) return afterOutage(place, record, busy());
    try {
      return await renewOnce(place, cookie, rejectedVersion);
    } finally {
      await giveBack(release);
    }
  };

  /** Everybody in this process who needs this record waits for the same refresh. */
  const share = (
    place: RecordPlace,
    record: TokenRecord,
    cookie: StoredCookie,
    rejectedVersion?: number,
  ): Promise<TokenRecord> => {
    const key = keyOf(place);
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = renewLocked(place, record, cookie, rejectedVersion);
      pending = pending.finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };

  return {
    async renew(place, record, cookie) {
      if (!isStale(record.tokens, options.now(), options.refreshMarginSeconds)) return record;
      return isPaused(keyOf(place), record) ? record : share(place, record, cookie);
    },

    async replaceRejected(place, rejected, cookie) {
      return share(place, rejected, cookie, rejected.version);
    },

    async end(place) {
      const release = await acquire(keyOf(place)).catch(() => undefined);
      try {
        unwritten.delete(keyOf(place));
        // Removed in any case: a lock that cannot be had must not keep anybody signed in.
        await tokenStore.remove(place);
      } finally {
        await giveBack(release);
      }
    },
  };
}

function withoutRefresh(record: TokenRecord, nowMs: number): TokenRecord {
  if (!isExpired(record.tokens, nowMs)) return record;
  // No grant has died: the session stays, and the next login of the same user goes on with it.
  throw new AuthenticationError(
    'ERR_OIDC_LOGIN_REQUIRED',
    'the access token has expired and there is no refresh token; is offline_access in "scope"?',
  );
}

/** `invalid_grant`, or a refreshed ID Token of somebody else: the refresh token is spent for nothing. */
function isDeadGrant(error: unknown): boolean {
  if (error instanceof ProviderError) return error.code === 'ERR_OIDC_GRANT_REFUSED';
  return error instanceof ValidationError || error instanceof AuthenticationError;
}

function ended(message: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError('ERR_OIDC_LOGIN_ENDED', message, cause);
}

function busy(): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_TIMEOUT',
    'token',
    'another request is refreshing this login and has not finished in time',
  );
}
