import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  hostRules,
  siteNames,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

describeWithParts(['chromium', 'openssl'], 'in Chromium', () => {
  let chromium: Chromium;
  let certificate: Certificate;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    certificate = await makeCertificate(...siteNames);
    chromium = await startChromium({ hostRules });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(() => chromium.close());

  interface Visit {
    readonly site: BrowserSite;
    readonly context: BrowserContext;
    readonly page: Page;
  }

  async function visit(setup: BrowserSiteSetup = {}, javaScriptEnabled = true): Promise<Visit> {
    const site = await startBrowserSite(setup);
    const context = await chromium.browser.newContext({
      ignoreHTTPSErrors: true,
      javaScriptEnabled,
    });
    closing.push(() => context.close(), site.close);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    return { site, context, page };
  }

  const heading = (page: Page): Promise<string | null> => page.textContent('h1');

  describe('a login', () => {
    it.each<[string, BrowserSiteSetup]>([
      ['on 127.0.0.1, with the OP on localhost', { host: '127.0.0.1' }],
      ['below a path', { path: '/shop' }],
      [
        'below a path, with cookies of that path',
        { path: '/shop', oidc: { transactionCookie: { path: '/shop' } } },
      ],
    ])('%s ends where it began', async (_where, setup) => {
      const { site, page, context } = await visit(setup);
      await page.goto(`${site.baseUrl}/private`);
      await page.waitForURL(`${site.baseUrl}/private`);
      expect(await heading(page)).toBe('Private of ada');
      const names = (await context.cookies(`${site.baseUrl}/`)).map(({ name }) => name);
      expect(names).toEqual(['sid']);
    });

    it('begun on another host than that of the callback ends signed in on that', async () => {
      const { site, page } = await visit();
      const elsewhere = site.origin.replace('localhost', '127.0.0.1');
      await page.goto(`${elsewhere}/private`);
      await page.waitForURL(`${site.origin}/`);
      expect(await heading(page)).toBe('Hello ada');
    });

    it('at two applications on one host disturbs neither', async () => {
      const { site, page, context } = await visit({ sessionCookie: 'one.sid' });
      const other = await startBrowserSite({ sessionCookie: 'two.sid' });
      closing.push(other.close);
      for (const op of [site.op, other.op]) op.asksUser = true;
      const second = await context.newPage();
      await page.goto(`${site.origin}/private`);
      await second.goto(`${other.origin}/private`);
      await page.click('button');
      await page.waitForURL(`${site.origin}/private`);
      await second.click('button');
      await second.waitForURL(`${other.origin}/private`);
      await page.reload();
      expect([await heading(page), await heading(second)]).toEqual(Array(2).fill('Private of ada'));
    });

    it('that twenty others were abandoned before ends signed in, with few cookies', async () => {
      const { site, page, context } = await visit();
      site.op.asksUser = true;
      for (let count = 0; count <= 20; count += 1) await page.goto(`${site.origin}/private`);
      const cookies = await context.cookies(site.origin);
      expect(cookies).toHaveLength(4);
      const bytes = cookies.map(({ name, value }) => name.length + value.length + 3);
      expect(bytes.reduce((sum, length) => sum + length, 0)).toBeLessThan(2048);
      await page.click('button');
      await page.waitForURL(`${site.origin}/private`);
      expect(await heading(page)).toBe('Private of ada');
    });

    it.each(['lax', 'strict'] as const)(
      'in three tabs at once keeps the cart in each, session cookie %s',
      async (sameSite) => {
        const { site, page, context } = await visit({ sameSite });
        await page.goto(`${site.origin}/cart`);
        const tabs = [page, await context.newPage(), await context.newPage()];
        await Promise.all(
          tabs.map(async (tab, index) => {
            await tab.goto(`${site.origin}/private?tab=${index}`);
            await tab.waitForURL(`${site.origin}/private?tab=${index}`);
          }),
        );
        for (const tab of tabs) expect(await tab.textContent('#cart')).toBe('tea');
      },
    );

    it.each(['form_post', 'fragment'] as const)(
      'by %s may lead on to another site',
      async (responseMode) => {
        const { site, page } = await visit({ oidc: { responseMode } });
        await page.goto(`${site.origin}/away`);
        await page.waitForURL(`${site.op.issuer}/jwks`);
      },
    );
  });

  it.each([
    ['a name that browsers refuse over http', '__Host-sid'],
    ['an older one of the same name in front of it', 'sid'],
  ])('a session cookie with %s ends in a page, after one more login', async (_what, name) => {
    const { site, page, context } = await visit({ sessionCookie: name });
    if (name === 'sid') {
      for (const path of ['/callback', '/private']) {
        await context.addCookies([{ name, value: 's:old.one', domain: 'localhost', path }]);
      }
    }
    await page.goto(`${site.origin}/private`);
    await page.waitForSelector('.detail');
    expect(await heading(page)).toBe('You could not be kept signed in');
    expect(await page.textContent('.detail')).toContain(
      `ERR_OIDC_SESSION_LOST, session cookie ${name}`,
    );
    expect(site.op.count('/authorize')).toBe(2);
    expect(await page.getAttribute('.main', 'href')).toBe('/login?return_to=%2Fprivate');
  });

  it('fetch, an image, a frame and a prefetch begin no login and set no cookie', async () => {
    const { site, page, context } = await visit();
    await page.goto(site.origin);
    const statuses = await page.evaluate(`(async () => {
      const loaded = (element) => new Promise((resolve) => {
        element.onload = element.onerror = resolve;
        document.body.append(element);
      });
      const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
      await loaded(make('img', { src: '/private/image' }));
      await loaded(make('iframe', { src: '/private/frame' }));
      await loaded(make('link', { rel: 'prefetch', href: '/private/prefetch' }));
      return Promise.all(['/private', '/login'].map((path) => fetch(path).then(({ status }) => status)));
    })()`);
    expect(statuses).toEqual([401, 403]);
    for (const name of ['image', 'frame', 'prefetch']) {
      expect(site.seenUrls).toContain(`/private/${name}`);
    }
    expect(site.op.count('/authorize')).toBe(0);
    expect(await context.cookies(site.origin)).toEqual([]);
  });

  describe.each(['https', 'http'] as const)('the authorization request by POST, %s', (scheme) => {
    const ways = [
      ['code id_token', 'form_post'],
      ['code id_token', 'fragment'],
      ['code', 'query'],
    ] as const;
    const setup = (): BrowserSiteSetup => ({
      certificate: scheme === 'https' ? certificate : undefined,
    });

    it.each(ways)('"%s" by %s ends signed in', async (responseType, responseMode) => {
      const oidc = { responseType, responseMode, authorizationRequestMethod: 'post' } as const;
      const { site, page } = await visit({ ...setup(), oidc });
      await page.goto(`${site.origin}/private`);
      await page.waitForURL(`${site.origin}/private`);
      expect(await heading(page)).toBe('Private of ada');
      expect(site.op.lastRequest('/authorize')).toMatchObject({
        method: 'POST',
        headers: { origin: site.origin },
      });
    });

    it('works by its button where scripts are off', async () => {
      const oidc = { authorizationRequestMethod: 'post' } as const;
      const { site, page } = await visit({ ...setup(), oidc }, false);
      await page.goto(`${site.origin}/private`);
      await page.click('text=Continue to the sign-in service');
      // The OP's own form does not submit itself either.
      await page.click('text=Continue');
      await page.waitForURL(`${site.origin}/private`);
      expect(await heading(page)).toBe('Private of ada');
    });
  });

  it('an answer in the fragment where scripts are off says what is needed', async () => {
    const { site, page } = await visit({ oidc: { responseMode: 'fragment' } }, false);
    await page.goto(`${site.origin}/private`);
    await page.waitForSelector('text=Please allow scripts for this site');
    await page.waitForSelector('a >> text=Sign in again');
    expect(site.op.count('/token')).toBe(0);
  });
});
