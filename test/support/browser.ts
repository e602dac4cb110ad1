import request, { type Response } from 'supertest';
import { CookieJar } from 'tough-cookie';

/** A request that the browser is about to make. */
export interface Hop {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Origin of the page that caused it; `undefined` for one that was typed in. */
  readonly from: string | undefined;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

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
    const site = siteRelation(hop);
    return this.#send(hop, {
      'Sec-Fetch-Site': site,
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
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
      next: nextHop(hop, response),
    };
  }
}

function nextHop(hop: Hop, response: Response): Hop | undefined {
  const { location } = response.headers as { location?: string };
  if (location !== undefined) {
    // A redirect was caused by whoever caused the request before it.
    return { method: 'GET', url: new URL(location, hop.url).href, from: hop.from };
  }
  const text = response.text ?? '';
  const from = new URL(hop.url).origin;
  const refresh = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1];
  if (refresh !== undefined) {
    return { method: 'GET', url: new URL(decode(refresh), hop.url).href, from };
  }
  const form = /<form method="post" action="([^"]*)"/.exec(text)?.[1];
  if (form === undefined || !/submit(\.call)?\(/.test(text)) return undefined;
  if (text.includes('name="oidc_fragment"')) return fragmentHop(hop, from);
  const inputs = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [decode(name), decode(value)],
  );
  const body = new URLSearchParams(inputs).toString();
  return { method: 'POST', url: new URL(decode(form), hop.url).href, from, body };
}

/** What the script on the page of a fragment response does. */
function fragmentHop({ url }: Hop, from: string): Hop {
  const { hash, pathname } = new URL(url);
  const page = `${from}${pathname}`;
  if (hash === '') return { method: 'GET', url: `${page}?oidc_fragment=`, from };
  const body = new URLSearchParams({ oidc_fragment: hash.slice(1) }).toString();
  return { method: 'POST', url: page, from, body };
}

function decode(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

function siteRelation({ url, from }: Hop): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (from === undefined) return 'none';
  if (new URL(url).origin === from) return 'same-origin';
  return siteOf(url) === siteOf(from) ? 'same-site' : 'cross-site';
}

/** Scheme and host: `localhost` and `127.0.0.1` are two sites, and ports make no difference. */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}

function context(hop: Hop): 'strict' | 'lax' | 'none' {
  if (siteRelation(hop) !== 'cross-site') return 'strict';
  return hop.method === 'GET' ? 'lax' : 'none';
}
