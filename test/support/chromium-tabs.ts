import type { BrowserContext, Page } from 'playwright-core';
import { startChromium } from './chromium.ts';
import { eventually } from './eventually.ts';
import { arriveAt, type Tab, type TabbedBrowser, type View } from './tab.ts';

/** Starts Debian's Chromium, for tests that go the same way in every browser. */
export async function startChromiumTabs(hostRules: string): Promise<TabbedBrowser> {
  const { browser, close } = await startChromium({ hostRules });
  return {
    async open({ runsScripts } = { runsScripts: true }) {
      const settings = { ignoreHTTPSErrors: true, javaScriptEnabled: runsScripts };
      return openTab(await browser.newContext(settings));
    },
    close,
  };
}

async function openTab(context: BrowserContext): Promise<Tab> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const view = viewOf(page);
  return {
    show: () => page.bringToFront(),
    go: (url, sight = { url }) =>
      arriveAt(sight, () => page.goto(url, { waitUntil: 'commit' }), view),
    setOut: (url) => void page.goto(url).catch(() => undefined),
    arrive: (sight, act) => arriveAt(sight, act, view),
    click: (selector, sight) => arriveAt(sight, () => page.click(selector), view),
    push: (selector) => page.click(selector, { noWaitAfter: true }),
    async pushAgain(which) {
      // Playwright runs nothing in such a page, so by the keyboard.
      if (which === 'another') await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
    },
    async reload() {
      await page.reload();
    },
    async back(title) {
      await page.goBack({ waitUntil: 'commit' });
      await eventually(async () => (await page.title()) === title);
    },
    evaluate: (expression) => page.evaluate(expression),
    text: (selector) => page.textContent(selector),
    async cookies(origin) {
      const { hostname } = new URL(origin);
      const kept = (await context.cookies()).filter(
        ({ domain, path }) => domain === hostname && path === '/',
      );
      return kept.sort((one, other) => one.name.localeCompare(other.name));
    },
    deleteCookies: (name) => context.clearCookies(name === undefined ? {} : { name }),
    another: () => openTab(context),
  };
}

function viewOf(page: Page): View {
  return {
    onLoad(listener) {
      page.on('load', listener);
      return () => page.off('load', listener);
    },
    async look() {
      const [url, title] = (await page.evaluate('[location.href, document.title]')) as string[];
      return { url: String(url), title: String(title) };
    },
  };
}
