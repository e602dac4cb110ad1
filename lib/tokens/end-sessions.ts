import type { LogoutEvent } from '../events.ts';
import type { Provider } from '../oidc/provider.ts';
import { revokeRefreshToken } from '../oidc/revocation.ts';
import { scopeTokens } from '../oidc/token-target.ts';
import type { FreshTokens } from './fresh-token.ts';
import type { ListedSession, SessionIndex, SessionsOf } from './session-index.ts';
import { destroyEntry, type SessionStore } from './session-store.ts';
import { indexedLoginMark, type TokenRecord } from './token-record.ts';
import type { RecordPlace, TokenStore } from './token-store.ts';

/** Sessions that are ended at the same time; a subject may have many. */
const atOnce = 16;

/** Which of the listed sessions are meant. */
export type IsMeant = (session: ListedSession) => boolean;

/** Ends sessions from outside: by the OP, or by an administrator. */
export interface EndSessions {
  /**
   * Ends sessions in all processes that share the store, and logins of theirs that are under way. To
   * be repeated when it fails: what has ended already is no error.
   *
   * @param isMeant @default all
   * @returns how many
   * @throws {@link SessionStoreError} when one could not be ended; all others are
   */
  end(
    store: SessionStore,
    whose: SessionsOf,
    by: LogoutEvent['by'],
    isMeant?: IsMeant,
  ): Promise<number>;
}

interface Parts {
  readonly index: SessionIndex;
  readonly tokenStore: TokenStore;
  readonly freshTokens: FreshTokens;
  readonly provider: Provider;
}

export function createEndSessions(parts: Parts): EndSessions {
  const { index, tokenStore, freshTokens, provider } = parts;

  const endOne = async (place: RecordPlace, by: LogoutEvent['by']): Promise<boolean> => {
    const record = await tokenStore.read(place);
    await freshTokens.end(place, by);
    await destroyEntry(place.store, place.sessionId);
    if (record === undefined) return false;
    // Off the list only now: until it has ended, it has to be found again.
    await index.remove(place, indexedLoginMark(record, place.sessionId));
    if (isToRevoke(record, by)) {
      revokeRefreshToken(provider, String(record.tokens.refreshToken)).catch(() => undefined);
    }
    return true;
  };

  return {
    async end(store, whose, by, isMeant = () => true) {
      // First, so that a login which this does not find listed finds this.
      await index.refuseBegun(store, whose);
      const listed = (await index.list(store, whose)).filter(isMeant);
      const queue = listed.values();
      const failures: unknown[] = [];
      let ended = 0;
      const walk = async (): Promise<void> => {
        for (const { sessionId } of queue) {
          try {
            if (await endOne({ store, sessionId }, by)) ended += 1;
          } catch (error) {
            failures.push(error);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, listed.length) }, walk));
      if (failures.length > 0) throw failures[0];
      return ended;
    },
  };
}

/** Back-Channel Logout 2.7: refresh tokens SHOULD be revoked, but for those with offline_access. */
function isToRevoke({ tokens }: TokenRecord, by: LogoutEvent['by']): boolean {
  if (tokens.refreshToken === undefined) return false;
  return by === 'application' || !scopeTokens(tokens.scope).includes('offline_access');
}
