import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Example, startExample } from '../support/example.ts';
import { findFaults, tabThrough } from '../support/page-check.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(120_000);

describeWithParts(['chromium'], "the example's pages in Chromium", () => {
  let chromium: Chromium;
  let example: Example;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    example = await startExample();
    chromium = await startChromium();
    context = await chromium.browser.newContext();
    page = await context.newPage();
  });
  afterAll(async () => {
    await chromium.close();
    await example.stop();
  });

  const check = async (name: string): Promise<string[]> => {
    expect([name, ...(await findFaults(page))]).toEqual([name]);
    return tabThrough(page);
  };

  it('are without fault and usable by keyboard, from the shop to the sign-out', async () => {
    await page.goto(example.url);
    const reached = await check('home');
    expect(reached.slice(0, 2)).toEqual(['Skip to content', 'Halyard']);
    expect(reached.filter((text) => text.startsWith('Add to cart'))).toHaveLength(12);
    await page.goto(`${example.url}/cart`);
    expect(await check('empty cart')).toContain('Choose a flag');
    await page.goto(`${example.url}/nowhere`);
    expect(await check('error')).toContain('Back to the flags');

    await page.goto(example.url);
    await page.click('text=Add to cart');
    await page.goto(`${example.url}/cart`);
    expect(await check('cart')).toContain('Sign in to order');
    await page.goto(`${example.url}/orders`);
    expect(await check('sign-in')).toEqual(expect.arrayContaining(['Sign in', 'Cancel']));
    await page.click('button[value=cancel]');
    await page.waitForURL(`${example.url}/callback**`);
    expect(await check('canceled sign-in')).toContain('Sign in again');

    await page.goto(`${example.url}/orders`);
    await page.click('button[value=sign-in]');
    await page.waitForURL(`${example.url}/orders`);
    await check('orders');
    await page.goto(`${example.url}/profile`);
    await check('profile');
    await page.goto(`${example.url}/logout`);
    expect(await check('sign-out')).toContain('Stay signed in here');
  });
});
