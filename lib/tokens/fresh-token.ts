import { BoundedMap } from '../bounded-map.ts';
import { LockError, ProviderError } from '../errors.ts';
import { isHeard, type LogoutEvent, publish } from '../events.ts';
import type { Lock } from '../lock.ts';
import type { Provider } from '../oidc/provider.ts';
import type { ResolvedTarget } from '../oidc/token-target.ts';
import type { ResolvedOptions } from '../options.ts';
import { settlesWithin } from './deadline.ts';
import { createRecordWriter } from './record-writer.ts';
import { type RenewalRequest, renewOnce } from './renewal.ts';
import { destroyEntry } from './session-store.ts';
import {
  accessTokenFor,
  eventLogin,
  isExpired,
  isStale,
  type TokenRecord,
} from './token-record.ts';
import { type RecordPlace, recordKey, type StoredLogin, type TokenStore } from './token-store.ts';

/** After a refresh that failed for reasons of the OP, a good token serves this long before the next try. */
const pauseSeconds = 10;

/** The lock of a process that died is free after so long. */
const leaseSeconds = 10;

/** A request with a token that is still valid waits so long for the next one. */
const servingPatienceSeconds = 3;

/** Logins whose troubles are remembered. */
const maxRemembered = 10_000;

/** Keeps access tokens fresh, with one spend for each refresh token. */
export interface FreshTokens {
  /** Whether the record's own access token for the target is fit for use, so that {@link renew} has nothing to do. */
  isFit(login: StoredLogin, target: ResolvedTarget): boolean;
  /**
   * The record with an access token for the target that is fit for use: the one given, or a renewed
   * one. A request waits for it no longer than the lease of the lock and `httpTimeoutSeconds`
   * together; a refresh that takes longer goes on without it.
   *
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED` when the grant is dead,
   *   `ERR_OIDC_LOGIN_REQUIRED` when there is neither a token nor a way to get one
   * @throws {@link ProviderError} when the OP fails and there is no present token, or it has expired
   */
  renew(login: StoredLogin, target: ResolvedTarget): Promise<TokenRecord>;
  /**
   * The record after one whose access token an API has refused, though it had not expired; the same
   * record, where that has just been done.
   *
   * @throws as {@link renew}
   */
  replaceRejected(
    login: StoredLogin,
    target: ResolvedTarget,
    rejected: string,
  ): Promise<TokenRecord>;
  /** Ends a login: removes the record, also from under a refresh that is under way. */
  end(place: RecordPlace, by: LogoutEvent['by']): Promise<void>;
}

interface Parts {
  readonly options: ResolvedOptions;
  readonly provider: Provider;
  readonly tokenStore: TokenStore;
  readonly lock: Lock;
}

export function createFreshTokens(parts: Parts): FreshTokens {
  const { options, provider, tokenStore, lock } = parts;
  const { sessionKey, now } = options;
  const underWay = new Map<string, Promise<TokenRecord>>();
  const pausedUntil = new BoundedMap<string, number>(maxRemembered);
  const replaced = new BoundedMap<string, { rejected: string; until: number }>(maxRemembered);
  const writer = createRecordWriter(tokenStore, sessionKey);
  const patienceSeconds = leaseSeconds + options.httpTimeoutSeconds;

  const renewLocked = async (request: RenewalRequest): Promise<TokenRecord> => {
    const key = recordKey(sessionKey, request.login.place.sessionId);
    const release = await lock.acquire(key, leaseSeconds, patienceSeconds);
    if (release === undefined) throw busy();
    try {
      return await renewOnce({ options, provider, tokenStore, writer }, request);
    } finally {
      void release();
    }
  };

  /** Everybody in this process who needs the same token waits for the same refresh. */
  const share = async (request: RenewalRequest): Promise<TokenRecord> => {
    const { login, target, rejected = '' } = request;
    const key = `${requestKey(login, target)} ${rejected}`;
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = renewLocked(request).finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    try {
      // It goes on when everybody has left: an answer that nobody waits for takes the login with it.
      if (await settlesWithin(pending, patienceFor(login, target))) return await pending;
      throw busy();
    } catch (error) {
      return serveOn(login, target, error);
    }
  };

  /** Who has a token that is good still need not wait as long as who has none. */
  const patienceFor = (login: StoredLogin, target: ResolvedTarget): number => {
    const present = accessTokenFor(login.record, target);
    const isServing = present !== undefined && !isExpired(present, now());
    return isServing ? servingPatienceSeconds : patienceSeconds;
  };

  /** An outage of the OP, or of the lock, is no logout: the present token serves while it is valid. */
  const serveOn = (login: StoredLogin, target: ResolvedTarget, error: unknown): TokenRecord => {
    const present = accessTokenFor(login.record, target);
    const isServing = present !== undefined && !isExpired(present, now());
    const isOutage = error instanceof ProviderError || error instanceof LockError;
    if (!isOutage || !isServing) throw error;
    pausedUntil.set(requestKey(login, target), now() + pauseSeconds * 1000);
    return login.record;
  };

  const requestKey = (login: StoredLogin, target: ResolvedTarget): string =>
    `${recordKey(sessionKey, login.place.sessionId)} ${target.key}`;

  const isPaused = (login: StoredLogin, target: ResolvedTarget): boolean => {
    const key = requestKey(login, target);
    const until = pausedUntil.get(key);
    if (until === undefined) return false;
    const present = accessTokenFor(login.record, target);
    if (now() < until && present !== undefined && !isExpired(present, now())) return true;
    pausedUntil.delete(key);
    return false;
  };

  const isFit = (login: StoredLogin, target: ResolvedTarget): boolean => {
    const present = accessTokenFor(login.record, target);
    return present !== undefined && !isStale(present, now(), options.refreshMarginSeconds);
  };

  return {
    isFit,

    async renew(login, target) {
      if (isFit(login, target)) return login.record;
      if (isPaused(login, target)) return login.record;
      return share({ login, target, rejected: undefined });
    },

    async replaceRejected(login, target, rejected) {
      if (isPaused(login, target)) return login.record;
      const key = requestKey(login, target);
      const before = replaced.get(key);
      // An API that refuses the new token as well would have every request spend a refresh token.
      const isTooSoon = before !== undefined && now() < before.until;
      if (isTooSoon && before.rejected !== rejected) return login.record;
      if (!isTooSoon) replaced.set(key, { rejected, until: now() + pauseSeconds * 1000 });
      return share({ login, target, rejected });
    },

    async end(place, by) {
      writer.forget(recordKey(sessionKey, place.sessionId));
      const record = isHeard('logout')
        ? await tokenStore.read(place).catch(() => undefined)
        : undefined;
      await tokenStore.remove(place);
      if (record !== undefined) {
        publish('logout', { login: eventLogin(record, sessionKey), by });
      }
      removeAgain(place).catch(() => undefined);
    },
  };

  /**
   * A refresh may be under way, here or in another process. It writes only what it finds, and finds
   * nothing any more, unless it was just between the two: so once more when it is done. The session
   * too, which a late request may have saved meanwhile, as its record was there. Nobody waits for it.
   */
  async function removeAgain(place: RecordPlace): Promise<void> {
    const key = recordKey(sessionKey, place.sessionId);
    const release = await lock.acquire(key, leaseSeconds, patienceSeconds);
    try {
      if (!(await tokenStore.exists(place))) return;
      await tokenStore.remove(place);
      await destroyEntry(place.store, place.sessionId);
    } finally {
      void release?.();
    }
  }
}

function busy(): ProviderError {
  return new ProviderError(
    'ERR_OIDC_PROVIDER_TIMEOUT',
    'token',
    'this login is being refreshed, and that has not finished in time',
  );
}
