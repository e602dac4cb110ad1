import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { tenantFlows } from 'passport-oidc-hybrid';
import type { APIResponse, Page } from 'playwright-core';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { sealingSecret } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';
import { listen } from '../support/listen.ts';
import { findFaults, openWindow, tabThrough, widths } from '../support/page-check.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

interface Shown {
  readonly title: string;
  readonly setup?: BrowserSiteSetup;
  readonly reached: readonly string[];
  readonly show: (site: BrowserSite, page: Page) => Promise<unknown>;
}

const navigation = {
  Accept: 'text/html',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
};

/** The page as it stays where nothing leads on from it. Where no script runs, nothing can be checked. */
async function showAsItStays(page: Page, answer: APIResponse): Promise<void> {
  const text = (await answer.text()).replace(/<script>.*<\/script>|<meta http-equiv[^>]*>/g, '');
  await page.setContent(text);
}

/** The page whose script does not run, once it says so. */
async function showWithoutScript(page: Page, url: string): Promise<void> {
  await showAsItStays(page, await page.request.get(url, { headers: navigation }));
  await page.locator('.late').first().waitFor();
}

/** To a page behind a login. */
async function goThrough(page: Page, url: string, until: string | RegExp): Promise<void> {
  await page.goto(url);
  await page.waitForURL(until);
}

/** A proxy to an API that is not there. */
const proxying: BrowserSiteSetup = {
  routes: (app, oidc) => void app.use('/down', oidc.proxy({ target: 'http://127.0.0.1:1' })),
};

/**
 * Each page of the library that somebody may look at, and what the keyboard reaches on it. The page for
 * the frame of an OP's logout is not among them: it has nothing to look at.
 */
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
    title: 'This account has no access',
    setup: {
      oidc: { verify: ({ refuse }) => refuse('Accounts of "<b>guests</b>" may not sign in here.') },
    },
    reached: ['Sign in again', 'Go to the start page'],
    show: ({ origin }, page) => goThrough(page, `${origin}/private`, /callback/),
  },
  {
    title: 'This is not allowed',
    setup: {
      routes: (app, oidc) => void app.get('/never', oidc.requireAuth({ claims: () => false })),
    },
    reached: ['Sign in again', 'Go to the start page'],
    show: ({ origin }, page) => goThrough(page, `${origin}/never`, `${origin}/never`),
  },
  {
    title: 'There is nothing here',
    setup: {
      routes: (app) => {
        const tenants = tenantFlows({ secret: sealingSecret, resolveClient: () => undefined });
        app.get('/of-nobody', tenants.requireAuth());
      },
    },
    reached: ['Go to the start page'],
    show: ({ origin }, page) => page.goto(`${origin}/of-nobody`),
  },
  {
    title: 'This does not work here',
    setup: proxying,
    reached: ['Go to the start page'],
    show: ({ origin }, page) => goThrough(page, `${origin}/down/a%5cb`, `${origin}/down/a%5cb`),
  },
  {
    title: 'This is not available at the moment',
    setup: proxying,
    reached: ['Go to the start page'],
    show: ({ origin }, page) => goThrough(page, `${origin}/down`, `${origin}/down`),
  },
  {
    title: 'Signing out',
    reached: ['Continue'],
    show: async ({ origin }, page) => {
      const headers = { Origin: origin };
      await showAsItStays(page, await page.request.post(`${origin}/logout`, { headers }));
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

const rows = pages.flatMap((page) => widths.map((width) => ({ ...page, width })));

describeWithParts(['chromium'], "this library's pages in Chromium", () => {
  let chromium: Chromium;
  let site: BrowserSite;
  const windows = new Map<number, Page>();

  beforeAll(async () => {
    chromium = await startChromium();
    for (const width of widths) windows.set(width, await openWindow(chromium.browser, width));
  });
  afterEach(() => site.close());
  afterAll(() => chromium.close());

  it.each(rows)(
    'are without fault, do not move, and are usable by keyboard: "$title", with $reached, $width pixels wide',
    async ({ title, setup, reached, show, width }) => {
      site = await startBrowserSite(setup);
      const page = windows.get(width) as Page;
      await page.bringToFront();
      await page.context().clearCookies();
      await show(site, page);
      expect(await page.textContent('h1')).toBe(title);
      expect(await findFaults(page)).toEqual([]);
      expect(await tabThrough(page)).toEqual(reached);
    },
  );

  it.each(widths)('do not move where one arrives in two parts, %i pixels wide', async (width) => {
    site = await startBrowserSite();
    const page = windows.get(width) as Page;
    await page.bringToFront();
    const whole = await page.request.get(`${site.origin}/callback?state=unknown`, {
      headers: navigation,
    });
    const html = await whole.text();
    const half = html.indexOf('</h1>');
    const rest = createGate();
    const slow = await listen((_req, res) => {
      res.setHeader('Content-Type', 'text/html; charset=utf-8');
      res.write(html.slice(0, half));
      void rest.wait().then(() => res.end(html.slice(half)));
    });
    await page.goto(`http://localhost:${slow.port}/`, { waitUntil: 'commit' });
    await page.waitForSelector('h1');
    await page.evaluate(
      'new Promise((shown) => requestAnimationFrame(() => setTimeout(shown, 0)))',
    );
    rest.open();
    await page.waitForSelector('.detail');
    expect(await findFaults(page)).toEqual([]);
    await slow.close();
  });
});
