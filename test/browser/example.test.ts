import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Example, startExample } from '../support/example.ts';
import { describeWithParts } from '../support/parts.ts';

describeWithParts(['chromium'], 'the example, by npm start, in Chromium', () => {
  let chromium: Chromium;
  let example: Example;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    example = await startExample();
    chromium = await startChromium();
  }, 120_000);
  afterAll(async () => {
    await chromium.close();
    await example.stop();
  });
  beforeEach(async () => {
    context = await chromium.browser.newContext();
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  afterEach(() => context.close());

  const status = (path: string): Promise<unknown> =>
    page.evaluate(`fetch('${path}').then((answer) => answer.status)`);

  it('ends its output with the line that says it is ready', () => {
    expect(example.output.at(-1)).toBe(`READY ${example.url}`);
  });

  it('is signed out of when the OP is', async () => {
    await page.goto(example.url);
    await page.click('header >> text=Sign in');
    await page.click('button[value=sign-in]');
    await page.waitForURL(`${example.url}/**`);
    expect(await status('/api/orders')).toBe(200);
    await page.goto(`${example.issuer}/session/end`);
    await page.click('button[name=logout]');
    await page.waitForURL(/session\/end\/success/);
    await page.goto(example.url);
    expect(await page.textContent('header')).toContain('Sign in');
  }, 60_000);

  it('signs in with the cart kept, shows orders of the API, proxies, and signs out', async () => {
    await page.goto(example.url);
    await page.click('text=Add to cart');
    await page.waitForLoadState();
    expect(await status('/api/orders')).toBe(401);

    await page.click('header >> text=Sign in');
    await page.click('button[value=sign-in]');
    await page.waitForURL(`${example.url}/**`);
    await page.goto(`${example.url}/cart`);
    expect(await page.textContent('main')).toContain('Kilo');

    await page.click('text=Place the order');
    await page.waitForURL(`${example.url}/orders**`);
    expect(await page.textContent('main')).toContain('Thank you');
    expect(await status('/api/orders')).toBe(200);
    await page.goto(`${example.url}/profile`);
    expect(await page.textContent('main')).toContain('Ada Marwick');

    await page.click('header >> text=Sign out');
    await page.click('button[name=logout]');
    await page.waitForURL(`${example.url}/`);
    expect(await page.textContent('header')).toContain('Sign in');
    expect(await status('/api/orders')).toBe(401);
    // The 401s above are what the browser calls errors; nothing else may be.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  }, 60_000);

  it('offers another try to a visitor who cancels', async () => {
    await page.goto(`${example.url}/orders`);
    await page.click('button[value=cancel]');
    await page.waitForURL(`${example.url}/callback**`);
    expect(await page.textContent('h1')).toBe('Sign-in canceled');
    await page.click('text=Sign in again');
    await page.click('button[value=sign-in]');
    await page.waitForURL(`${example.url}/orders`);
  }, 60_000);
});
