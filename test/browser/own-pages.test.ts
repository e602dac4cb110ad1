import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { findFaults, tabThrough } from '../support/page-check.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

interface Shown {
  readonly title: string;
  readonly setup?: BrowserSiteSetup;
  readonly reached: readonly string[];
  readonly show: (site: BrowserSite, page: Page) => Promise<unknown>;
}

/** The page as it stays where its script does not run. Where none runs, nothing can be checked. */
async function showWithoutScript(page: Page, url: string): Promise<void> {
  const answer = await page.request.get(url, {
    headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
  });
  await page.setContent((await answer.text()).replace(/<script>.*<\/script>/, ''));
  await page.locator('.late').first().waitFor();
}

/** Each page of the library that somebody may look at, and what the keyboard reaches on it. */
const pages: readonly Shown[] = [
  {
    title: 'Sign-in could not be completed',
    reached: ['Sign in again', 'Go to the start page'],
    show: ({ origin }, page) => page.goto(`${origin}/callback?state=unknown`),
  },
  {
    title: 'Sign-in was canceled',
    reached: ['Sign in again', 'Go to the start page'],
    show: ({ origin, op }, page) => {
      op.lie({ mustAsk: { error: 'access_denied', prompts: [] } });
      return page.goto(`${origin}/private`);
    },
  },
  {
    title: 'Sign-in is not available at the moment',
    reached: ['Sign in again', 'Go to the start page'],
    show: async ({ origin, op }, page) => {
      await op.stop();
      return page.goto(`${origin}/private`);
    },
  },
  {
    title: 'Sign-in is not set up correctly',
    // A session cookie that is Secure, over http.
    setup: { secure: true },
    reached: ['Go to the start page'],
    show: ({ origin }, page) => page.goto(`${origin}/login`),
  },
  {
    title: 'You could not be kept signed in',
    // A name that browsers refuse over http.
    setup: { sessionCookie: '__Host-sid' },
    reached: ['Sign in again', 'Go to the start page'],
    show: async ({ origin }, page) => {
      await page.goto(`${origin}/private`);
      await page.waitForSelector('.detail');
    },
  },
  {
    title: 'Sign out?',
    reached: ['Sign out', 'Stay signed in'],
    show: async ({ origin, op }, page) => {
      op.asksUser = true;
      await page.goto(`${origin}/login`);
      await page.evaluate(`location.assign(${JSON.stringify(`${origin}/logout`)})`);
      await page.waitForURL(`${origin}/logout`);
    },
  },
  {
    title: 'Signing in',
    setup: { oidc: { responseMode: 'fragment' } },
    reached: ['Sign in again', 'Go to the start page'],
    show: ({ origin }, page) => showWithoutScript(page, `${origin}/callback`),
  },
  {
    title: 'Signing in',
    setup: { oidc: { authorizationRequestMethod: 'post' } },
    reached: ['Continue to the sign-in service'],
    show: ({ origin }, page) => showWithoutScript(page, `${origin}/login`),
  },
];

describeWithParts(['chromium'], "this library's pages in Chromium", () => {
  let chromium: Chromium;
  let site: BrowserSite;
  let context: BrowserContext;

  beforeAll(async () => {
    chromium = await startChromium();
  });
  afterEach(async () => {
    await context.close();
    await site.close();
  });
  afterAll(() => chromium.close());

  it.each(pages)(
    'are without fault and usable by keyboard: "$title", with $reached',
    async ({ title, setup, reached, show }) => {
      site = await startBrowserSite(setup);
      context = await chromium.browser.newContext();
      const page = await context.newPage();
      await show(site, page);
      expect(await page.textContent('h1')).toBe(title);
      expect(await findFaults(page)).toEqual([]);
      expect(await tabThrough(page)).toEqual(reached);
    },
  );
});
