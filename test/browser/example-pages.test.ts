import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Example, startExample } from '../support/example.ts';
import { findFaults, openWindow, tabThrough, widths } from '../support/page-check.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(120_000);

describeWithParts(['chromium'], "the example's pages in Chromium", () => {
  let chromium: Chromium;
  let example: Example;
  let page: Page;

  beforeAll(async () => {
    example = await startExample();
    chromium = await startChromium();
  });
  afterAll(async () => {
    await chromium.close();
    await example.stop();
  });
  afterEach(() => page.context().close());

  const check = async (name: string): Promise<string[]> => {
    expect([name, ...(await findFaults(page))]).toEqual([name]);
    return tabThrough(page);
  };

  it.each(widths)(
    'are without fault, do not move, and are usable by keyboard, from the shop to the sign-out, %i pixels wide',
    async (width) => {
      page = await openWindow(chromium.browser, width);
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
      await page.waitForURL(`${example.url}/#flag-**`);
      await check('home, with a flag in the cart');
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
      await page.goto(`${example.url}/cart`);
      expect(await check('cart, signed in')).toContain('Place the order');
      await page.click('text=Place the order');
      await page.waitForURL(`${example.url}/orders?placed=**`);
      expect(await page.textContent('[role=status]')).toContain('Thank you');
      await check('orders, with a new one');
      await page.goto(`${example.url}/profile`);
      await check('profile');

      // Pages of the OP that a visitor comes to by a detour.
      await page.goto(`${example.issuer}/interaction/unknown`);
      expect(await check('sign-in that is over')).toEqual(['Go back to the shop']);
      await page.goto(`${example.issuer}/auth?client_id=unknown`);
      expect(await check('error of the OP')).toEqual(['Go back to the shop']);
      await page.goto(`${example.issuer}/session/end/success`);
      expect(await page.textContent('h1')).toBe('Signed out');
      expect(await check('signed out')).toEqual([]);

      await page.goto(`${example.url}/logout`);
      await page.click('text=Sign out');
      await page.waitForURL(`${example.issuer}/**`);
      expect(await check('sign-out')).toContain('Stay signed in here');
    },
  );
});
