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
  type OtherSite,
  siteNames,
  startBrowserSite,
  startOtherSite,
} from '../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

describeWithParts(
  ['chromium', 'openssl'],
  'a link of another site, in Chromium without scripts',
  () => {
    let chromium: Chromium;
    let certificate: Certificate;

    beforeAll(async () => {
      certificate = await makeCertificate(...siteNames);
      chromium = await startChromium({ hostRules });
    }, 60_000);
    afterAll(() => chromium.close());

    describe.each(['https', 'http'] as const)('session cookie Strict, %s', (scheme) => {
      let site: BrowserSite;
      let mail: OtherSite;
      let context: BrowserContext;
      let page: Page;

      beforeEach(async () => {
        const own = scheme === 'https' ? certificate : undefined;
        site = await startBrowserSite({
          certificate: own,
          sameSite: 'strict',
          // The only way of an answer without a script.
          oidc: { responseType: 'code', responseMode: 'query' },
        });
        mail = await startOtherSite(own);
        context = await chromium.browser.newContext({
          ignoreHTTPSErrors: true,
          javaScriptEnabled: false,
        });
        page = await context.newPage();
        page.setDefaultTimeout(20_000);
      });
      afterEach(async () => {
        await context.close();
        await mail.close();
        await site.close();
      });

      const follow = async (path: string): Promise<void> => {
        await page.goto(mail.linkTo(`${site.origin}${path}`));
        await page.click('a');
        // Not by the URL, which is that of the step, too.
        await page.waitForSelector('#cart');
        expect(page.url()).toBe(`${site.origin}${path}`);
      };
      const seen = async (): Promise<unknown[]> => [
        await page.textContent('h1'),
        await page.textContent('#cart'),
        site.op.count('/authorize'),
      ];

      it('to a guarded page keeps the cart, and shows it at once to who is signed in', async () => {
        await page.goto(`${site.origin}/cart`);
        await follow('/private?page=2');
        expect(await seen()).toEqual(['Private of ada', 'tea', 1]);
        await follow('/private?page=3');
        expect(await seen()).toEqual(['Private of ada', 'tea', 1]);
        expect(site.seenUrls.filter((url) => url.includes('oidc_arrival='))).toHaveLength(2);
        // The step is no page to go back to.
        await page.reload();
        expect(await seen()).toEqual(['Private of ada', 'tea', 1]);
        await page.goBack({ waitUntil: 'commit' });
        expect(page.url()).toBe(mail.linkTo(`${site.origin}/private?page=3`));
      });

      it('to the login route keeps the cart', async () => {
        await page.goto(`${site.origin}/cart`);
        await page.goto(mail.linkTo(`${site.origin}/login?return_to=/private`));
        await page.click('a');
        await page.waitForURL(`${site.origin}/private`);
        expect(await seen()).toEqual(['Private of ada', 'tea', 1]);
      });
    });
  },
);
