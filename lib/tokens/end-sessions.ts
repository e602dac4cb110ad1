import type { LogoutEvent } from '../events.ts';
import type { FreshTokens } from './fresh-token.ts';
import type { SessionIndex, SessionsOf } from './session-index.ts';
import { destroyEntry, type SessionStore } from './session-store.ts';

/** Sessions that are ended at the same time; a subject may have many. */
const atOnce = 16;

/** Ends sessions from outside: by the OP, or by an administrator. */
export interface EndSessions {
  /**
   * Ends the sessions of one session at the OP, or of a subject, in all processes that share the
   * store.
   *
   * @param until epoch seconds: logins after this moment stay. @default all
   * @returns how many
   * @throws {@link SessionStoreError}
   */
  end(
    store: SessionStore,
    whose: SessionsOf,
    until?: number,
    by?: LogoutEvent['by'],
  ): Promise<number>;
  /** As in {@link SessionIndex}. */
  claim: SessionIndex['claim'];
}

export function createEndSessions(index: SessionIndex, freshTokens: FreshTokens): EndSessions {
  return {
    claim: index.claim,
    async end(store, whose, until = Number.POSITIVE_INFINITY, by = 'op') {
      const sessionIds = await index.take(store, whose, until);
      const queue = sessionIds.values();
      const walk = async (): Promise<void> => {
        for (const sessionId of queue) {
          await freshTokens.end({ store, sessionId }, by);
          await destroyEntry(store, sessionId);
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, sessionIds.length) }, walk));
      return sessionIds.length;
    },
  };
}
