import request from 'supertest';
import { CookieJar } from 'tough-cookie';
import { type Hop, nextHop, siteRelation } from '../../lib/testing/hop.ts';

export type { Hop } from '../../lib/testing/hop.ts';

/** A request that was made, and its answer. */
export interface Visit extends Hop {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string>;
  readonly setCookies: readonly string[];
  /** What the browser does next by itself: a redirect, a form that submits itself, a refresh. */
  readonly next: Hop | undefined;
  readonly sentCookies: string;
}

/** The end of a navigation, and the way to it. */
export interface Arrival extends Visit {
  readonly history: readonly Visit[];
}

/**
 * A browser as far as logins know it: cookies with SameSite rules, redirects that keep the site
 * which began them, forms that submit themselves, Fetch Metadata.
 */
export class Browser {
  readonly jar: CookieJar = new CookieJar();
  /** Cookies that it does not keep. */
  refuses: (setCookie: string) => boolean = () => false;
  /** Whether it says by Fetch Metadata who has caused a request; or says the same of all of them. */
  fetchMetadata: 'honest' | 'none' | 'always cross-site' = 'honest';
  /** A certificate that servers may have, PEM. */
  trusts: string | undefined;

  /** Navigates until the browser comes to rest, or until the hop that `until` picks is next. */
  async navigate(
    start: string | Hop,
    until: (next: Hop) => boolean = () => false,
  ): Promise<Arrival> {
    let hop: Hop | undefined =
      typeof start === 'string' ? { method: 'GET', url: start, from: undefined } : start;
    const history: Visit[] = [];
    while (hop !== undefined) {
      const visit: Visit = await this.perform(hop);
      history.push(visit);
      if (history.length > 20) throw new Error(`too many hops, the last to ${hop.url}`);
      hop = visit.next !== undefined && until(visit.next) ? undefined : visit.next;
    }
    return { ...(history.at(-1) as Visit), history };
  }

  /** Makes one request of a navigation. */
  async perform(hop: Hop): Promise<Visit> {
    const site = this.fetchMetadata === 'honest' ? siteRelation(hop) : 'cross-site';
    const metadata = {
      'Sec-Fetch-Site': site,
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    };
    return this.#send(hop, {
      ...(this.fetchMetadata === 'none' ? {} : metadata),
      Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      ...(hop.method === 'POST' ? { Origin: hop.from ?? 'null' } : {}),
      ...hop.headers,
    });
  }

  /** What `fetch()` of a page of the same origin sends. */
  async fetch(
    url: string,
    init: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Visit> {
    const { method = 'GET', headers, ...rest } = init;
    return this.#send(
      { method, url, from: new URL(url).origin, ...rest },
      {
        'Sec-Fetch-Site': 'same-origin',
        'Sec-Fetch-Mode': 'cors',
        'Sec-Fetch-Dest': 'empty',
        Accept: '*/*',
        ...headers,
      },
    );
  }

  /** Another browser with the same cookies. */
  async copy(url: string): Promise<Browser> {
    const other = new Browser();
    for (const cookie of await this.jar.getCookies(url)) {
      await other.jar.setCookie(String(cookie), url);
    }
    return other;
  }

  /** Names of the cookies it would send to a URL. */
  async cookieNames(url: string): Promise<string[]> {
    return (await this.jar.getCookies(url)).map(({ key }) => key);
  }

  async #send(hop: Hop, headers: Record<string, string>): Promise<Visit> {
    const { origin, pathname, search } = new URL(hop.url);
    const sentCookies = await this.jar.getCookieString(hop.url, { sameSiteContext: context(hop) });
    const pending = request(origin)
      [hop.method === 'POST' ? 'post' : 'get'](`${pathname}${search}`)
      .redirects(0)
      .ok(() => true)
      .buffer(true)
      .set(headers);
    if (this.trusts !== undefined && origin.startsWith('https:')) pending.ca(this.trusts);
    if (sentCookies !== '') pending.set('Cookie', sentCookies);
    if (hop.body !== undefined) {
      pending.set('Content-Type', headers['Content-Type'] ?? 'application/x-www-form-urlencoded');
      pending.send(hop.body);
    }
    const response = await pending;
    const setCookies = [response.headers['set-cookie'] ?? []].flat() as string[];
    for (const cookie of setCookies) {
      // Browsers drop SameSite=None without Secure; the jar would keep it.
      const isDropped = /;\s*samesite=none/i.test(cookie) && !/;\s*secure/i.test(cookie);
      if (!isDropped && !this.refuses(cookie))
        await this.jar.setCookie(cookie, hop.url, { ignoreError: true });
    }
    return {
      ...hop,
      status: response.status,
      text: response.text ?? '',
      headers: response.headers as Record<string, string>,
      setCookies,
      sentCookies,
      next: nextHop(hop, { headers: response.headers, text: response.text ?? '' }),
    };
  }
}

function context(hop: Hop): 'strict' | 'lax' | 'none' {
  if (siteRelation(hop) !== 'cross-site') return 'strict';
  return hop.method === 'GET' ? 'lax' : 'none';
}
