import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import { readEntry, type SessionStore, writeEntry } from './session-store.ts';
import { recordCookie, recordKey } from './token-store.ts';

/** Names that count once, such as the `jti` of a token, remembered in the session store. */
export interface OneTimeNames {
  /** Whether a name was used. */
  isUsed(store: SessionStore, name: string): Promise<boolean>;
  /** Remembers a name for so long. */
  use(store: SessionStore, name: string, seconds: number): Promise<void>;
}

export function createOneTimeNames(
  options: Pick<ResolvedOptions, 'sessionKey' | 'issuer' | 'clientId' | 'tenant' | 'now'>,
): OneTimeNames {
  const { sessionKey, issuer, clientId, tenant } = options;
  const place = tenant === undefined ? [issuer, clientId] : [issuer, clientId, tenant];
  const keyOf = (name: string): string =>
    recordKey(sessionKey, `once:${shortDigest(JSON.stringify([...place, name]), 22)}`);
  return {
    async isUsed(store, name) {
      return (await readEntry(store, keyOf(name))) !== undefined;
    },
    async use(store, name, seconds) {
      const cookie = recordCookie({ originalMaxAge: seconds * 1000 }, options.now());
      await writeEntry(store, keyOf(name), { cookie, [sessionKey]: true });
    },
  };
}
