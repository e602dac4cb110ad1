import type { ResolvedOptions } from '../options.ts';
import type { SessionStore } from '../tokens/session-store.ts';

const warnedOf = new WeakSet<object>();

/**
 * A store that processes can share calls for a lock that they share: without it two processes may
 * spend the same refresh token, and the OP then ends the login. Said once for each store.
 */
export function warnOfMissingLock(store: SessionStore, options: ResolvedOptions): void {
  if (options.lock !== undefined || warnedOf.has(store)) return;
  warnedOf.add(store);
  const { name } = store.constructor;
  if (name === 'MemoryStore') return;
  process.emitWarning(
    `sessions are in a ${name}, which several processes can share, and hybridFlow() has no "lock": refreshes are serialized within this process only. With Redis, add: lock: redisLock(client). With a single process, add: lock: inProcessLock().`,
    { type: 'OidcWarning', code: 'OIDC_NO_SHARED_LOCK' },
  );
}

/**
 * express-session sets `Secure` only if it is told to. With `cookie.secure: 'auto'` it goes by the request, which a
 * proxy that ends TLS makes http. Said once for each flow.
 */
export function warnOfInsecureCookie(
  isCookieSecure: boolean,
  req: { readonly secure: boolean },
  options: ResolvedOptions,
): void {
  if (!options.isSecure || isCookieSecure || warnedOf.has(options)) return;
  warnedOf.add(options);
  process.emitWarning(
    req.secure
      ? '"baseUrl" is https, and the session cookie is sent without Secure: give express-session cookie: { secure: \'auto\' }.'
      : '"baseUrl" is https, and this request is not: the session cookie is sent without Secure. Behind a proxy that ends TLS, set app.set("trust proxy", 1) and let the proxy send X-Forwarded-Proto.',
    { type: 'OidcWarning', code: 'OIDC_INSECURE_COOKIE' },
  );
}
