import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser, type Hop } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow({ clock: startTickingClock() });
});
afterEach(() => flow.close());

const pathOf = (tab: number, length = 1900): string => `/private?${tab}=`.padEnd(length, 'a');

/** To a page, as far as the OP's answer. */
async function begin(path: string, at = flow): Promise<Hop> {
  const { next } = await flow.browser.navigate(
    `${at.baseUrl}${path}`,
    ({ method }) => method === 'POST',
  );
  if (next === undefined) throw new Error('no callback');
  return next;
}

/** All at once: no request has a cookie that the answer to another has set. */
function beginTabs(count: number, length?: number): Promise<Hop[]> {
  return Promise.all(Array.from({ length: count }, (_, tab) => begin(pathOf(tab, length))));
}

const sizeAt = async (path: string): Promise<number> =>
  (await flow.browser.jar.getCookieString(`${flow.baseUrl}${path}`)).length;
const loginCookies = async (): Promise<string[]> =>
  (await flow.browser.cookieNames(flow.baseUrl)).filter((name) => name.includes('.tx.'));

describe('logins that begin at once', () => {
  it('60 of them, with paths of 1,900 characters, leave a browser that works', async () => {
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const tabs = await beginTabs(60);
    expect(await sizeAt('/')).toBeLessThan(2048);
    expect(await sizeAt('/callback')).toBeLessThan(8192);
    expect(await flow.browser.navigate(`${flow.baseUrl}/`)).toMatchObject({ status: 200 });
    const last = await begin(pathOf(60));
    const url = `${flow.baseUrl}${pathOf(60)}`;
    expect(await flow.browser.navigate(last)).toMatchObject({ status: 200, url });
    const landings = new Set<string>();
    for (const tab of tabs.reverse()) {
      const arrival = await flow.browser.navigate(tab);
      expect(arrival.status).toBe(200);
      expect(json(arrival)).toMatchObject({ cart: ['tea'] });
      landings.add(arrival.url.slice(flow.baseUrl.length));
    }
    // Some to their page, without its query; who gave way, to the start page.
    expect([...landings].sort()).toEqual(['/', '/private']);
    expect(await loginCookies()).toEqual([]);
    expect(await sizeAt('/callback')).toBeLessThan(250);
  });

  it('as many as a browser may have each end where they began', async () => {
    const tabs = await beginTabs(4, 150);
    expect(await loginCookies()).toHaveLength(4);
    for (const [tab, hop] of [...tabs.entries()].reverse()) {
      const url = `${flow.baseUrl}${pathOf(tab, 150)}`;
      expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200, url });
    }
    expect(flow.op.count('/authorize')).toBe(4);
  });

  it('by the next one, which sees their cookies, are as few as ever', async () => {
    // In two processes, of which none knows what the other sets.
    const { op, clock, baseUrl } = flow;
    const other = await startFlow({ op, clock, oidc: { baseUrl } });
    await Promise.all(
      [flow, other].flatMap((at) => Array.from({ length: 20 }, () => begin('/private', at))),
    );
    expect((await loginCookies()).length).toBeGreaterThan(4);
    expect(await sizeAt('/')).toBeLessThan(4096);
    await begin('/private');
    expect(await loginCookies()).toHaveLength(4);
    await other.close();
  });

  it('of others who look alike cost nobody a login that is under way', async () => {
    const first = await begin(pathOf(0, 150));
    const others = Array.from({ length: 8 }, () => new Browser());
    await Promise.all(
      others.map((browser) => browser.navigate(`${flow.baseUrl}/private`, () => true)),
    );
    const second = await begin(pathOf(1, 150));
    for (const [tab, hop] of [first, second].entries()) {
      const url = `${flow.baseUrl}${pathOf(tab, 150)}`;
      expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200, url });
    }
  });

  it.each([
    ['short', 20, false],
    ['so long that they have a cookie of their own', 300, false],
    ['of a browser that was signed in before', 20, true],
  ])(
    'and have ended take no room from one that is under way: paths %s',
    async (_what, length, isSecond) => {
      const waiting = await begin(pathOf(0, 150));
      for (const browser of [new Browser(), new Browser(), new Browser()]) {
        await flow.signIn(browser, pathOf(1, length));
        if (!isSecond) continue;
        await browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
        await flow.signIn(browser, pathOf(1, length));
      }
      // Of the same browser, for all that can be seen, and sent before the cookie of the first had come.
      const { setCookies } = await new Browser().navigate(`${flow.baseUrl}/private`, () => true);
      expect(setCookies.filter((cookie) => cookie.includes('Max-Age=0'))).toEqual([]);
      expect(await flow.browser.navigate(waiting)).toMatchObject({ status: 200 });
    },
  );

  it('and the one that begins anew at the callback are those of one browser', async () => {
    for (const _tab of [1, 2, 3, 4]) {
      await new Browser().navigate(`${flow.baseUrl}/private`, () => true);
    }
    const answer = await begin(pathOf(0, 300));
    await flow.browser.jar.store.removeCookie('localhost', '/', (await loginCookies())[0] ?? '');
    const { setCookies } = await flow.browser.navigate(answer, ({ url }) =>
      url.startsWith(`${flow.op.issuer}/authorize`),
    );
    expect(setCookies.filter((cookie) => cookie.includes('Max-Age=0'))).toHaveLength(1);
  });
});

describe('a return path', () => {
  it.each([200, 201, 2000, 2048])('of %i characters survives a login', async (length) => {
    const path = pathOf(0, length);
    const arrival = await flow.signIn(flow.browser, path);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}${path}` });
    expect(await flow.browser.cookieNames(`${flow.baseUrl}/callback`)).toHaveLength(2);
  });

  it.each([
    ['is too long loses what the page was asked with', pathOf(0, 2049), '/'],
    ['gave way to a newer one loses its query', pathOf(0, 300), '/private'],
    ['gave way and is long by itself leads to the start page', `/api/${'a'.repeat(300)}`, '/'],
  ])('that %s', async (_what, path, landing) => {
    const first = await begin(path);
    await begin(pathOf(1));
    const arrival = await flow.browser.navigate(first);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}${landing}` });
  });

  it('is read for its own login only, and not from a cookie that was changed', async () => {
    const [first, second] = [await begin(pathOf(0)), await begin(pathOf(1))];
    const cookies = await flow.browser.jar.getCookies(`${flow.baseUrl}/callback`);
    const long = cookies.find(({ key }) => key.endsWith('.path'));
    if (long === undefined) throw new Error('no long path');
    expect(long).toMatchObject({ path: '/callback', httpOnly: true, sameSite: 'lax' });
    const changed = String(long).replace(/.{4};/, 'AAAA;');
    await flow.browser.jar.setCookie(changed, `${flow.baseUrl}/callback`);
    for (const hop of [first, second]) {
      const arrival = await flow.browser.navigate(hop);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    }
  });
});
