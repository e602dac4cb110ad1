import { afterEach, expect, it } from '@jest/globals';
import type { BrowserSite } from '../../support/browser-site.ts';
import { eventually } from '../../support/eventually.ts';
import type { Tab } from '../../support/tab.ts';
import type { Combination } from './combination.ts';

/** Logins as visitors begin and end them: with a cart, in tabs, twice, never. */
export function describeLogins(combination: Combination): void {
  const { responseMode, scheme } = combination;
  const afterTest: (() => void)[] = [];
  afterEach(() => {
    for (const act of afterTest.splice(0)) act();
  });

  it.each(['memory', 'Redis'])(
    'keep the cart in %s, show the landing page signed in, leave one cookie, and nothing to the next user',
    async (place) => {
      const { tab, redis } = combination;
      const site =
        place === 'memory' ? combination.site : await combination.startSite({ store: redis.store });
      await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
      const [before] = await tab.cookies(site.origin);
      await tab.go(`${site.origin}/private?page=2`);
      expect(await shown(tab)).toEqual(['Private of ada', 'tea']);
      const [cookie, ...others] = await tab.cookies(site.origin);
      expect(others).toEqual([]);
      expect(cookie).toMatchObject({ name: site.sessionCookie, secure: scheme === 'https' });
      expect(cookie?.value).not.toBe(before?.value);
      expect(await tab.evaluate('fetch("/api").then((answer) => answer.json())')).toEqual({
        isBearer: true,
      });
      // In a query the code is for all to read; that mode is the application's choice.
      const secrets = responseMode === 'query' ? [] : site.op.handedOut;
      for (const secret of secrets) expect(site.seenUrls.join('\n')).not.toContain(secret);
      expect(site.seenUrls.some((url) => url.startsWith('/callback'))).toBe(true);

      site.op.subject = 'bob';
      await tab.go(`${site.origin}/login?return_to=/private`, { title: 'Private of bob' });
      expect(await shown(tab)).toEqual(['Private of bob', 'nothing']);
    },
  );

  it('in three tabs, finished in another order, end where they began; then reload, back, and yes once more do no harm', async () => {
    const { tab, site } = combination;
    await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
    const tabs = [tab, ...(await otherTabs(tab))];
    site.op.asksUser = true;
    for (const [index, each] of tabs.entries()) {
      await each.show();
      await each.go(`${site.origin}/private?tab=${index}`, { title: 'Sign in' });
    }
    for (const index of [2, 0, 1]) {
      const each = tabs[index] as Tab;
      await each.show();
      await each.click('button', { url: `${site.origin}/private?tab=${index}` });
      expect(await shown(each)).toEqual(['Private of ada', 'tea']);
    }
    expect(await cookieNames(tab, site)).toEqual([site.sessionCookie]);
    await tab.show();
    await tab.reload();
    expect(await shown(tab)).toEqual(['Private of ada', 'tea']);
    await tab.back('Sign in');
    await tab.click('button', { url: `${site.origin}/private?tab=0` });
    expect(await shown(tab)).toEqual(['Private of ada', 'tea']);
    expect(site.op.count('/token')).toBe(3);
  });

  it('submitted twice, while the first is at the token endpoint, end signed in', async () => {
    const { tab, site } = combination;
    site.op.asksUser = true;
    await tab.go(`${site.origin}/private`, { title: 'Sign in' });
    const token = site.op.hold('/token');
    afterTest.push(token.release);
    await tab.push('button');
    await token.arrived;
    const again = site.asked('/callback?');
    const submit = async (): Promise<void> => {
      // By now it is the OP's page with the answer, or ours that goes on from a fragment.
      await tab.pushAgain(responseMode === 'query' ? 'same' : 'another');
      await again;
      token.release();
    };
    await tab.arrive({ url: `${site.origin}/private` }, submit);
    expect(await tab.text('h1')).toBe('Private of ada');
    expect(site.op.count('/token')).toBe(1);
  });

  it('begun by a link of another site keep the cart, and by the next one there is no other', async () => {
    const { tab, site } = combination;
    const mail = await combination.startOtherSite();
    await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
    for (const url of [`${site.origin}/private?page=2`, `${site.origin}/private?page=3`]) {
      await tab.go(mail.linkTo(url));
      await tab.click('a', { url, title: 'Private of ada' });
      expect(await shown(tab)).toEqual(['Private of ada', 'tea']);
    }
    expect(site.op.count('/authorize')).toBe(1);
    // From such a link a Strict cookie stays away, so a step of our own is between.
    const steps = site.seenUrls.filter((url) => url.includes('oidc_arrival='));
    expect(steps).toHaveLength(combination.sameSite === 'strict' ? 2 : 0);
  });

  it('begin again by themselves when the cookie got lost, and end signed in', async () => {
    const { tab, site } = combination;
    site.op.asksUser = true;
    await tab.go(`${site.origin}/private`, { title: 'Sign in' });
    await tab.deleteCookies();
    site.op.asksUser = false;
    await tab.click('button', { title: 'Hello ada' });
    expect(await tab.evaluate('location.href')).toBe(`${site.origin}/`);
  });

  it('without any cookie stop after one more try, and say which is missing', async () => {
    const { tab, site } = combination;
    site.op.asksUser = true;
    await tab.go(`${site.origin}/private`, { title: 'Sign in' });
    await tab.deleteCookies();
    await tab.click('button', { title: 'Sign in' });
    await tab.deleteCookies();
    await tab.click('button', { title: 'Sign-in could not be completed' });
    expect(await tab.text('.detail')).toMatch(/missing cookie \S+\.tx\.\S{16}/);
    expect(site.op.count('/authorize')).toBe(2);
  });

  it('are begun by no fetch, XHR, image, frame or prefetch, and these set no cookie', async () => {
    const { tab, site } = combination;
    await tab.go(`${site.origin}/`);
    await tab.evaluate(`void [
      ['img', { src: '/private/image' }],
      ['iframe', { src: '/private/frame' }],
      ['link', { rel: 'prefetch', href: '/private/prefetch' }],
    ].map(([tag, attributes]) => {
      document.body.append(Object.assign(document.createElement(tag), attributes));
    })`);
    // Not every browser tells the page of a prefetch that failed.
    const urls = ['image', 'frame', 'prefetch'].map((name) => `/private/${name}`);
    await eventually(() => urls.every((url) => site.answeredUrls.includes(url)));
    const statuses = await tab.evaluate(`(async () => {
      const request = new XMLHttpRequest();
      request.open('GET', '/private');
      request.send();
      await new Promise((resolve) => { request.onloadend = resolve; });
      const answers = await Promise.all(['/private', '/login'].map((path) => fetch(path)));
      return [request, ...answers].map(({ status }) => status);
    })()`);
    expect(statuses).toEqual([401, 401, 403]);
    expect(site.op.count('/authorize')).toBe(0);
    expect(site.setCookies).toEqual([]);
    // The same visitor, by a navigation.
    await tab.go(`${site.origin}/private/image`);
    expect(await tab.text('h1')).toBe('Private of ada');
  });

  // Firefox has no speculation rules.
  if (combination.browserName === 'Chromium') {
    it('are begun by no page that the browser fetches ahead, but when it is opened', async () => {
      const { tab, site } = combination;
      await tab.go(`${site.origin}/ahead`);
      await eventually(() => site.answeredUrls.includes('/private/fetched-ahead'));
      expect(site.op.count('/authorize')).toBe(0);
      expect(site.setCookies).toEqual([]);
      await tab.click('a', { url: `${site.origin}/private/fetched-ahead` });
      expect(await tab.text('h1')).toBe('Private of ada');
    });
  }

  it('that sixty others were abandoned before end signed in, with less than 2 KB of cookies', async () => {
    const { tab, site } = combination;
    await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
    // Visitors who leave before the OP has answered, and one who stays.
    for (let count = 0; count <= 60; count += 1) {
      const question = site.op.hold('/authorize');
      afterTest.push(question.release);
      tab.setOut(`${site.origin}/private?${count}`);
      await question.arrived;
    }
    const kept = await tab.cookies(site.origin);
    expect(kept.map(({ name }) => name.replace(/[^.]+$/, ''))).toEqual(
      expect.arrayContaining([expect.stringMatching(/\.tx\.$/)]),
    );
    const bytes = kept.map(({ name, value }) => `${name}=${value}; `.length);
    expect(bytes.reduce((sum, length) => sum + length)).toBeLessThan(2048);
    const answer = async (): Promise<void> => afterTest.at(-1)?.();
    await tab.arrive({ url: `${site.origin}/private?60` }, answer);
    expect(await shown(tab)).toEqual(['Private of ada', 'tea']);
  });

  const shown = async (tab: Tab): Promise<unknown[]> => [
    await tab.text('h1'),
    await tab.text('#cart'),
  ];
  const cookieNames = async (tab: Tab, { origin }: BrowserSite): Promise<string[]> =>
    (await tab.cookies(origin)).map(({ name }) => name);
}

/** Opened once for each tab: it costs as much as a login. */
async function otherTabs(tab: Tab): Promise<Tab[]> {
  const known = others.get(tab) ?? [await tab.another(), await tab.another()];
  others.set(tab, known);
  return known;
}
const others = new WeakMap<Tab, Tab[]>();
