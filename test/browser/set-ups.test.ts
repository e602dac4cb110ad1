import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

describeWithParts(['chromium'], 'in Chromium', () => {
  let chromium: Chromium;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    chromium = await startChromium();
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

  async function visit(setup: BrowserSiteSetup = {}): Promise<Visit> {
    const site = await startBrowserSite(setup);
    const context = await chromium.browser.newContext();
    closing.push(() => context.close(), site.close);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    return { site, context, page };
  }

  const heading = (page: Page): Promise<string | null> => page.textContent('h1');

  describe('a login', () => {
    it('below a path, with cookies of the whole host, ends where it began', async () => {
      const { site, page, context } = await visit({ path: '/shop' });
      await page.goto(`${site.baseUrl}/private`);
      await page.waitForURL(`${site.baseUrl}/private`);
      expect(await heading(page)).toBe('Private of ada');
      const names = (await context.cookies(`${site.baseUrl}/`)).map(({ name }) => name);
      expect(names).toEqual(['sid']);
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
});
