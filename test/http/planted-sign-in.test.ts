import { afterEach, describe, expect, it } from '@jest/globals';
import { type Arrival, Browser } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function start(sameSite: 'lax' | 'strict' = 'lax'): Promise<void> {
  flow = await startFlow({ clock: startTickingClock(), session: { cookie: { sameSite } } });
}

/** What a browser remembers of its last sign-in, and the note for its pages. */
async function remembered(browser: Browser): Promise<Record<'last' | 'check', string>> {
  const cookies = await browser.jar.getCookies(`${flow.baseUrl}/callback`);
  const find = (end: string): string => {
    const { key, value } = cookies.find((cookie) => cookie.key.endsWith(end)) ?? {};
    return `${key}=${value}`;
  };
  return { last: find('.last'), check: find('.check') };
}

/** Of somebody else, whose browser has lost a session already. */
async function ofSomebodyElse(): Promise<Record<'last' | 'check', string>> {
  const other = new Browser();
  await flow.signIn(other);
  other.refuses = (cookie) => cookie.includes('.check=;') || cookie.includes('.last=;');
  await other.jar.store.removeCookie('localhost', '/', 'connect.sid');
  await flow.signIn(other);
  flow.op.requests.length = 0;
  return remembered(other);
}

/** As another application on this host, or on one beside it, can do: ours cannot take them away. */
async function plant(cookies: readonly string[]): Promise<void> {
  for (const cookie of cookies) {
    await flow.browser.jar.setCookie(`${cookie}; Path=/`, flow.baseUrl);
    await flow.browser.jar.setCookie(`${cookie}; Path=/callback`, `${flow.baseUrl}/callback`);
  }
  flow.browser.refuses = (setCookie) =>
    cookies.some((cookie) => setCookie.startsWith(cookie.slice(0, cookie.indexOf('=') + 1)));
}

const checks = ({ history }: Arrival): number =>
  history.filter(({ url }) => url.includes('oidc_session_check=')).length;

describe('the cookie that remembers a sign-in', () => {
  it.each([
    [
      'as it once was',
      (name: string) => `${name}=${flow.clock.now().toString(36)}.5.${'x'.repeat(16)}`,
    ],
    ['that is none', (name: string) => `${name}=x`],
    ['that is empty', (name: string) => `${name}=`],
    ['that was changed', (name: string, value: string) => `${name}=${value.slice(0, -8)}`],
  ])('has no effect where somebody has planted one %s', async (_what, make) => {
    await start();
    const { last } = await ofSomebodyElse();
    const [name = '', value = ''] = last.split('=');
    await plant([make(name, value)]);
    for (const _login of [1, 2, 3, 4, 5, 6]) {
      const arrival = await flow.signIn();
      expect([arrival.status, checks(arrival), errorCode(arrival)]).toEqual([200, 0, undefined]);
      await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
    }
  });

  it.each(['lax', 'strict'] as const)(
    "of somebody else's browser, with its note, costs redirects at most, session cookie %s",
    async (sameSite) => {
      await start(sameSite);
      const { last, check } = await ofSomebodyElse();
      flow.clock.advance(10);
      await plant([last, check]);
      for (const _login of [1, 2, 3]) {
        const arrival = await flow.signIn();
        expect([arrival.status, checks(arrival), errorCode(arrival)]).toEqual([200, 3, undefined]);
        await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
      }
      expect(flow.op.count('/authorize')).toBe(3);
    },
  );

  it("of somebody else's browser is not held against who has a session at the callback", async () => {
    await start();
    const planted = await ofSomebodyElse();
    await flow.signIn();
    const [session] = await flow.browser.jar.getCookies(flow.baseUrl);
    await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
    await plant(Object.values(planted));
    const { next } = await flow.browser.navigate(
      `${flow.baseUrl}/private`,
      ({ method }) => method === 'POST',
    );
    await flow.browser.jar.setCookie(String(session), flow.baseUrl);
    expect(next && (await flow.browser.navigate(next))).toMatchObject({ status: 200 });
  });

  it('is forgotten when a login may no longer be under way', async () => {
    await start();
    await flow.signIn();
    const { last } = await remembered(flow.browser);
    await plant([last]);
    await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
    flow.clock.advance(599);
    expect(checks(await flow.signIn())).toBe(3);
    await flow.browser.jar.store.removeCookie('localhost', '/', 'connect.sid');
    flow.clock.advance(2);
    expect(checks(await flow.signIn())).toBe(0);
  });
});
