import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { Arrival, Hop } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function begin(path: string): Promise<Hop> {
  const { next } = await flow.browser.navigate(
    `${flow.baseUrl}${path}`,
    ({ method }) => method === 'POST',
  );
  if (next === undefined) throw new Error('no callback');
  return next;
}

const txCookies = async (): Promise<string[]> =>
  (await flow.browser.cookieNames(flow.baseUrl)).filter((name) => name.includes('.tx.'));

describe('tabs', () => {
  it.each([
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])('three logins, finished in the order %i %i %i, all end where they began', async (...order) => {
    flow = await startFlow();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const tabs = [
      await begin('/private?tab=0'),
      await begin('/private?tab=1'),
      await begin('/private?tab=2'),
    ];
    for (const tab of order) {
      const arrival = await flow.browser.navigate(tabs[tab] as Hop);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?tab=${tab}` });
      expect(json(arrival)).toMatchObject({ cart: ['tea'] });
    }
    expect(await txCookies()).toEqual([]);
  });

  it('60 abandoned logins leave few cookies, under 2 KB', async () => {
    flow = await startFlow();
    let last: Hop | undefined;
    for (let index = 0; index < 60; index += 1) {
      last = await begin('/private');
      flow.clock.advance(1);
    }
    const cookies = await flow.browser.jar.getCookieString(flow.baseUrl);
    expect(await txCookies()).toHaveLength(4);
    expect(cookies.length).toBeLessThan(2048);
    expect(await flow.browser.navigate(last as Hop)).toMatchObject({ status: 200 });
  });

  it.each([
    ['the longest return paths', 2038, 4],
    ['return paths of 200 characters', 190, 3],
  ])(
    '60 abandoned logins with %s stay under 2 KB, the newest is kept',
    async (_what, length, kept) => {
      flow = await startFlow({ session: { saveUninitialized: true } });
      let last: Hop | undefined;
      for (let index = 0; index < 60; index += 1) {
        last = await begin(`/private?${'a'.repeat(length)}`);
        flow.clock.advance(1);
      }
      const cookies = await flow.browser.jar.getCookieString(flow.baseUrl);
      const sessionCookie = /connect\.sid=[^;]*/.exec(cookies)?.[0] ?? '';
      expect(cookies.length - sessionCookie.length).toBeLessThan(2048);
      expect(await txCookies()).toHaveLength(kept);
      const url = `${flow.baseUrl}/private?${'a'.repeat(length)}`;
      expect(await flow.browser.navigate(last as Hop)).toMatchObject({ status: 200, url });
    },
  );

  it('cookies that cannot be read go first', async () => {
    flow = await startFlow();
    const first = await begin('/private?tab=0');
    const [name = ''] = await txCookies();
    const prefix = name.slice(0, name.indexOf('.tx.') + 4);
    for (const suffix of ['a', 'b', 'c', 'd', 'e']) {
      await flow.browser.jar.setCookie(`${prefix}${suffix}=rubbish; Path=/`, flow.baseUrl);
    }
    await begin('/private?tab=1');
    expect(await txCookies()).toContain(name);
    expect(await flow.browser.navigate(first)).toMatchObject({ status: 200 });
  });

  it('cookies with names that no header may have do no harm', async () => {
    flow = await startFlow();
    await begin('/private');
    const [name = ''] = await txCookies();
    const prefix = name.slice(0, name.indexOf('.tx.') + 4);
    const odd = ['a b', 'a"b', '__proto__', '', 'ä'].map((rest) => `${prefix}${rest}=x`);
    const answer = await request(flow.baseUrl)
      .get('/private')
      .set({ Accept: 'text/html', Cookie: [...odd, ...odd, '__proto__=x'].join('; ') });
    expect(answer.status).toBe(303);
  });

  it('another application on the same host is not disturbed', async () => {
    flow = await startFlow();
    const other = await startFlow();
    const first = await begin('/private');
    for (let index = 0; index < 6; index += 1)
      await flow.browser.navigate(`${other.baseUrl}/private`, ({ method }) => method === 'POST');
    expect(await flow.browser.navigate(first)).toMatchObject({ status: 200 });
    await other.close();
  });
});

describe('a visitor who submits twice', () => {
  it('ends signed in, and the code is spent once', async () => {
    flow = await startFlow();
    const callback = await begin('/private');
    const held = flow.op.hold('/token');
    // The first navigation is canceled by the second, so its cookies never arrive: another jar.
    const canceled = await flow.browser.copy(flow.baseUrl);
    const first = canceled.navigate(callback);
    await held.arrived;
    const second = flow.browser.navigate(callback);
    // The second is at the application before the OP answers the first.
    await new Promise<void>((resolve) => setImmediate(resolve));
    held.release();
    const arrivals: Arrival[] = [await first, await second];
    for (const arrival of arrivals) {
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    }
    expect(flow.op.count('/token', 'authorization_code')).toBe(1);
    expect(await flow.storeKeys()).toHaveLength(2);
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });

  it('and whose first login failed sees the same failure', async () => {
    flow = await startFlow();
    flow.op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    const callback = await begin('/private');
    const canceled = await flow.browser.copy(flow.baseUrl);
    const codes = [await canceled.navigate(callback), await flow.browser.navigate(callback)].map(
      errorCode,
    );
    expect(codes).toEqual(['ERR_OIDC_ID_TOKENS_SUB', 'ERR_OIDC_ID_TOKENS_SUB']);
    expect(flow.op.count('/token')).toBe(1);
  });
});

describe.each(['form_post', 'fragment'] as const)('two tabs at once, by %s', (responseMode) => {
  const [here, there] = ['/private?tab=0', '/private?tab=1'];

  it('with the same login, one of them a copy, both end signed in', async () => {
    flow = await startFlow({ oidc: { responseMode } });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const callback = await begin(here);
    const held = flow.op.hold('/token');
    const first = flow.browser.navigate(callback);
    await held.arrived;
    // Cookies are shared, and that of the login is still there.
    const second = flow.browser.navigate(callback);
    held.release();
    for (const arrival of [await first, await second]) {
      expect(arrival.status).toBe(200);
      expect([`${flow.baseUrl}${here}`, `${flow.baseUrl}/`]).toContain(arrival.url);
      expect(json(arrival)).toMatchObject({ cart: ['tea'] });
    }
    expect(flow.op.count('/token')).toBe(1);
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });

  it('with a login each, of which one is slow, both end where they began', async () => {
    flow = await startFlow({ oidc: { responseMode } });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const [slow, quick] = [await begin(here), await begin(there)];
    const held = flow.op.hold('/token');
    const first = flow.browser.navigate(slow);
    await held.arrived;
    const second = flow.browser.navigate(quick);
    held.release();
    for (const [arrival, path] of [
      [await first, here],
      [await second, there],
    ] as const) {
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}${path}` });
      expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
    }
    expect(await txCookies()).toEqual([]);
  });

  it.each([
    ['keep the cart for the same user', 'ada', ['tea']],
    ['give it to nobody else', 'eve', []],
  ])(
    'of which one still sends the session that the other has moved, %s',
    async (_what, who, cart) => {
      flow = await startFlow({ oidc: { responseMode } });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const first = await begin(here);
      flow.op.subject = who;
      const second = await begin(there);
      // On its way when the first answer comes: its cookies are those of before.
      const late = await flow.browser.copy(flow.baseUrl);
      flow.op.subject = 'ada';
      expect(await flow.browser.navigate(first)).toMatchObject({ status: 200 });
      flow.op.subject = who;
      const arrival = await late.navigate(second);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}${there}` });
      expect(json(arrival)).toMatchObject({ sub: who, cart });
      // Whichever answer the browser gets last, it is signed in.
      for (const browser of [flow.browser, late]) {
        expect(await browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
      }
    },
  );
});

describe('what is no navigation', () => {
  it.each([
    ['fetch', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
    ['an image', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
    ['a frame', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }],
    ['a prefetch', { 'Sec-Purpose': 'prefetch' }],
    ['a prerender', { 'Sec-Purpose': 'prefetch;prerender' }],
    ['an old prefetch', { Purpose: 'prefetch' }],
  ])('%s begins no login and sets no cookie', async (_what, headers) => {
    flow = await startFlow();
    for (const path of ['/private', '/login']) {
      const answer = await flow.browser.perform({
        method: 'GET',
        url: `${flow.baseUrl}${path}`,
        from: flow.baseUrl,
        headers,
      });
      expect([answer.status, errorCode(answer)]).toEqual(
        path === '/login' ? [403, 'ERR_OIDC_NOT_A_NAVIGATION'] : [401, 'ERR_OIDC_LOGIN_REQUIRED'],
      );
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.setCookies).toEqual([]);
    }
    expect(flow.op.requests).toEqual([]);
  });
});
