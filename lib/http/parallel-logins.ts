import { parse } from 'cookie';
import type { Request } from 'express';
import { BoundedMap } from '../bounded-map.ts';
import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import { type SizedCookie, surplusCookies } from './cookie-bounds.ts';

/** Seconds in which a browser may begin a login without the cookie of one that began before. */
const parallelSeconds = 10;

/** Browsers whose last logins are remembered for so long. */
const maxBrowsers = 1000;

/**
 * Logins that a browser begins at the same moment, as it does when it restores its tabs. None of the
 * requests has the cookies of the others, so this process remembers for a while which it has set.
 */
export interface ParallelLogins {
  /**
   * Adds a login.
   *
   * @param room bytes that the cookies of others may take
   * @returns names of cookies that have to go, among those which did not come with the request
   */
  add(req: Request, own: SizedCookie, room: number): string[];
  /** Forgets logins whose cookies have gone. */
  forget(names: readonly string[]): void;
}

/** @param isOurs whether a cookie is one of this flow, of which one page gets more than another */
export function createParallelLogins(
  options: Pick<ResolvedOptions, 'maxTransactions' | 'now'>,
  isOurs: (name: string) => boolean,
): ParallelLogins {
  const begun = new BoundedMap<string, SizedCookie[]>(maxBrowsers);
  /** By the names of cookies: where a login ends, the browser may send others than where it began. */
  const browsers = new BoundedMap<string, string>(maxBrowsers * options.maxTransactions);

  // Browsers that are alike in all of this count as one. That does no harm to cookies which come with
  // a request, and a cookie is deleted in the browser of the answer only.
  const browserOf = ({ ip, headers }: Request, cookies: [string, unknown][]): string => {
    const others = cookies.filter(([name]) => !isOurs(name));
    return shortDigest(JSON.stringify([ip, headers['user-agent'], others]), 22);
  };
  const cookiesOf = ({ headers }: Request): [string, unknown][] =>
    Object.entries(parse(headers.cookie ?? ''));

  return {
    add(req, own, room) {
      const cookies = cookiesOf(req);
      const browser = browserOf(req, cookies);
      const names = new Set([own.name, ...cookies.map(([name]) => name)]);
      const since = options.now() - parallelSeconds * 1000;
      const before = (begun.get(browser) ?? []).filter(({ startedAt }) => startedAt >= since);
      const missing = before.filter(({ name }) => !names.has(name));
      const surplus = surplusCookies(missing, options.maxTransactions - 1, room);
      begun.set(browser, [...before.filter(({ name }) => !surplus.includes(name)), own]);
      browsers.set(own.name, browser);
      return surplus;
    },
    forget(names) {
      for (const gone of names) {
        const browser = browsers.get(gone);
        if (browser === undefined) continue;
        browsers.delete(gone);
        begun.set(
          browser,
          (begun.get(browser) ?? []).filter(({ name }) => name !== gone),
        );
      }
    },
  };
}
