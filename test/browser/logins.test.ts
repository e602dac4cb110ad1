import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import {
  type BrowserSite,
  hostRules,
  siteNames,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;

/** What an OP says that may not ask, and would have to. */
const mustAsk = [
  ['login_required', 'login'],
  ['interaction_required', 'login'],
  ['consent_required', 'consent'],
] as const;

/** Every way of an answer, with each kind of session cookie, on each kind of site. */
const rows = ways.flatMap(([responseType, responseMode]) =>
  (['lax', 'strict'] as const).flatMap((sameSite) =>
    (['https', 'http'] as const).map((scheme, index) => ({
      responseType,
      responseMode,
      sameSite,
      scheme,
      // Each of them by each way of an answer.
      mustAsk: mustAsk[index + (sameSite === 'strict' ? 1 : 0)] ?? mustAsk[0],
    })),
  ),
);

describeWithParts(['chromium', 'openssl'], 'logins in Chromium, the OP on another site', () => {
  let chromium: Chromium;
  let certificate: Certificate;

  beforeAll(async () => {
    certificate = await makeCertificate(...siteNames);
    chromium = await startChromium({ hostRules });
  }, 60_000);
  afterAll(() => chromium.close());

  describe.each(rows)(
    'by $responseMode, session cookie $sameSite, $scheme',
    ({ responseType, responseMode, sameSite, scheme, mustAsk: [error, prompt] }) => {
      let site: BrowserSite;
      let context: BrowserContext;
      let page: Page;
      let release: (() => void) | undefined;

      beforeAll(async () => {
        site = await startBrowserSite({
          certificate: scheme === 'https' ? certificate : undefined,
          sameSite,
          oidc: { responseType, responseMode },
        });
      });
      afterAll(() => site.close());
      beforeEach(async () => {
        site.op.honest();
        site.op.asksUser = false;
        site.op.requests = [];
        site.seenUrls.length = 0;
        context = await chromium.browser.newContext({ ignoreHTTPSErrors: true });
        page = await context.newPage();
        page.setDefaultTimeout(20_000);
      });
      afterEach(async () => {
        release?.();
        await context.close();
      });

      const heading = async (where = page): Promise<string | null> => where.textContent('h1');
      const cookieNames = async (): Promise<string[]> =>
        (await context.cookies(site.origin)).map(({ name }) => name).sort();
      /** To a guarded page, as far as the OP's question. */
      const goToOp = async (where: Page, path: string): Promise<void> => {
        site.op.asksUser = true;
        await where.goto(`${site.origin}${path}`);
        expect(await where.title()).toBe('Sign in');
      };
      const agree = async (where: Page, path: string): Promise<void> => {
        await where.click('button');
        await where.waitForURL(`${site.origin}${path}`);
      };

      it('keep the cart, show the landing page signed in, and leave one cookie', async () => {
        await page.goto(`${site.origin}/cart`);
        const [before] = await context.cookies(site.origin);
        await page.goto(`${site.origin}/private?page=2`);
        await page.waitForURL(`${site.origin}/private?page=2`);
        expect(await heading()).toBe('Private of ada');
        expect(await page.textContent('#cart')).toBe('tea');
        const cookies = await context.cookies(site.origin);
        expect(cookies.map(({ name }) => name)).toEqual([site.sessionCookie]);
        expect(cookies[0]?.value).not.toBe(before?.value);
        expect(cookies[0]?.secure).toBe(scheme === 'https');
        expect(await page.evaluate('fetch("/api").then((answer) => answer.json())')).toEqual({
          isBearer: true,
        });
        // In a query the code is for all to read; that mode is the application's choice.
        const readable = responseMode === 'query' ? [] : site.op.handedOut;
        for (const secret of readable) expect(site.seenUrls.join('\n')).not.toContain(secret);
        expect(site.seenUrls.some((url) => url.startsWith('/callback'))).toBe(true);
      });

      it('in three tabs, finished in another order, end where they began', async () => {
        await page.goto(`${site.origin}/cart`);
        const tabs = [page, await context.newPage(), await context.newPage()];
        for (const [index, tab] of tabs.entries()) await goToOp(tab, `/private?tab=${index}`);
        for (const index of [2, 0, 1]) {
          const tab = tabs[index] as Page;
          await agree(tab, `/private?tab=${index}`);
          expect([await heading(tab), await tab.textContent('#cart')]).toEqual([
            'Private of ada',
            'tea',
          ]);
        }
        expect(await cookieNames()).toEqual([site.sessionCookie]);
      });

      it('are not harmed by a reload, by going back, and by saying yes once more', async () => {
        await page.goto(`${site.origin}/`);
        await goToOp(page, '/private');
        await agree(page, '/private');
        await page.reload();
        expect(await heading()).toBe('Private of ada');
        // From the back-forward cache, which fires no load event.
        await page.goBack({ waitUntil: 'commit' });
        expect(await page.title()).toBe('Sign in');
        await page.click('button');
        await page.waitForURL(`${site.origin}/private`);
        expect(await heading()).toBe('Private of ada');
        expect(site.op.count('/token')).toBe(1);
      });

      it('submitted twice, while the first is at the token endpoint, end signed in', async () => {
        await goToOp(page, '/private');
        const token = site.op.hold('/token');
        release = token.release;
        await page.click('button', { noWaitAfter: true });
        await token.arrived;
        const again = site.asked('/callback?');
        // Nothing can be run in a page that is about to be left, so by the keyboard: the page is the
        // OP's, or ours that goes on from a fragment, and its button or link comes first.
        if (responseMode !== 'query') await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await again;
        token.release();
        await page.waitForURL(`${site.origin}/private`);
        expect(await heading()).toBe('Private of ada');
        expect(site.op.count('/token')).toBe(1);
      });

      it('begin again by themselves when the cookie got lost, and end signed in', async () => {
        await goToOp(page, '/private');
        await context.clearCookies();
        site.op.asksUser = false;
        await agree(page, '/');
        expect(await heading()).toBe('Hello ada');
      });

      it('without any cookie stop after one more try, and say which is missing', async () => {
        await goToOp(page, '/private');
        await context.clearCookies();
        const isAtOp = (url: string): boolean => url.startsWith(`${site.op.issuer}/authorize`);
        const secondTry = page.waitForRequest((request) => isAtOp(request.url()));
        await page.click('button');
        await page.waitForURL((await secondTry).url());
        await context.clearCookies();
        await page.click('button');
        await page.waitForSelector('.detail');
        expect(await heading()).toBe('Sign-in could not be completed');
        expect(await page.textContent('.detail')).toMatch(/missing cookie \S+\.tx\.\S{16}/);
        expect(site.op.count('/authorize')).toBe(2);
      });

      it('made silently show the page to everybody, and sign in who is known', async () => {
        await page.goto(`${site.origin}/cart`);
        site.op.lie({ mustAsk: { error: 'login_required', prompts: [] } });
        await page.goto(`${site.origin}/news`);
        await page.waitForURL(`${site.origin}/news`);
        expect([await heading(), await page.textContent('#cart')]).toEqual([
          'News for everybody',
          'tea',
        ]);
        await page.goto(`${site.origin}/news`);
        expect(site.op.count('/authorize')).toBe(1);
        await context.clearCookies({ name: /\.silent$/ });
        site.op.lie({ mustAsk: undefined });
        await page.goto(`${site.origin}/news?page=2`);
        await page.waitForURL(`${site.origin}/news?page=2`);
        expect([await heading(), await page.textContent('#cart')]).toEqual(['News for ada', 'tea']);
      });

      it('made stronger, as an API or a page demands it, end where they began', async () => {
        await page.goto(`${site.origin}/cart`);
        await page.goto(`${site.origin}/private`);
        await page.waitForURL(`${site.origin}/private`);
        for (const [path, title, demands] of [
          ['/transfer?to=bob', 'Transfer 200 of ada', { acr_values: 'mfa', max_age: '60' }],
          ['/vault?no=7', 'Vault by hwk', { acr_values: 'hwk', max_age: '60' }],
        ] as const) {
          await goToOp(page, path);
          await agree(page, path);
          expect([await heading(), await page.textContent('#cart')]).toEqual([title, 'tea']);
          expect(site.op.lastRequest('/authorize').parameters).toMatchObject(demands);
        }
        // Who is as strong as that is asked no more.
        await page.goto(`${site.origin}/vault`);
        expect(await heading()).toBe('Vault by hwk');
        expect(site.op.count('/authorize')).toBe(3);
        expect(await cookieNames()).toEqual([site.sessionCookie]);
      });

      it(`that the OP answers with ${error} are made once more, so that it may ask`, async () => {
        site.op.lie({ mustAsk: { error, prompts: [prompt] } });
        await page.goto(`${site.origin}/cart`);
        await page.goto(`${site.origin}/private?page=2`);
        await page.waitForURL(`${site.origin}/private?page=2`);
        expect([await heading(), await page.textContent('#cart')]).toEqual([
          'Private of ada',
          'tea',
        ]);
        expect(site.op.lastRequest('/authorize').parameters).toMatchObject({ prompt });
        expect(site.op.count('/authorize')).toBe(2);
      });
    },
  );
});
