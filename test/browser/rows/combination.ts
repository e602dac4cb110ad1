import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest } from '@jest/globals';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  hostRules,
  type OtherSite,
  siteNames,
  startBrowserSite,
  startOtherSite,
} from '../../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../../support/certificate.ts';
import { startChromiumTabs } from '../../support/chromium-tabs.ts';
import { startFirefox } from '../../support/firefox.ts';
import { describeWithParts } from '../../support/parts.ts';
import { type StartedRedisStore, startRedisStore } from '../../support/redis-store.ts';
import type { Tab, TabbedBrowser } from '../../support/tab.ts';

/** Of the site, and of the OP, which is another site to browsers. */
export type Scheme = 'https' | 'http';

/** Every one that can be driven. */
export type BrowserName = 'Chromium' | 'Firefox';

const parts = { Chromium: 'chromium', Firefox: 'firefox-esr' } as const;

const start = {
  Chromium: (): Promise<TabbedBrowser> => startChromiumTabs(hostRules),
  Firefox: (): Promise<TabbedBrowser> => startFirefox(siteNames),
};

/** One way of an answer, with one kind of session cookie, and what its tests share. */
export interface Combination {
  readonly browserName: BrowserName;
  readonly scheme: Scheme;
  readonly responseMode: 'form_post' | 'fragment' | 'query';
  readonly sameSite: 'lax' | 'strict';
  /** In the tests, not before: without cookies at the beginning of each. */
  readonly tab: Tab;
  /** The same, in a browser that runs no scripts. */
  readonly tabWithoutScripts: Tab;
  /** A site with sessions in memory, and an OP that is honest and asks nothing at the beginning of each test. */
  readonly site: BrowserSite;
  /** A Redis that all tests of the file share. */
  readonly redis: StartedRedisStore;
  /** Another site for one test. */
  startSite(setup: BrowserSiteSetup): Promise<BrowserSite>;
  /** A site of somebody else, for one test. */
  startOtherSite(): Promise<OtherSite>;
}

const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;

/**
 * Describes the same rows for every way of an answer, with each kind of session cookie, in one
 * browser and on one kind of site. A browser has its cookies taken away between tests and is not
 * started anew: opening a window costs as much as a login.
 */
export function describeCombinations(
  browserName: BrowserName,
  scheme: Scheme,
  describeRows: (combination: Combination) => void,
): void {
  describeWithParts(
    [parts[browserName], 'openssl', 'redis-server'],
    `logins in ${browserName}, ${scheme}, the OP on another site`,
    () => {
      jest.setTimeout(60_000);
      let browser: TabbedBrowser;
      let certificate: Certificate | undefined;
      const shared = {} as { tab: Tab; tabWithoutScripts: Tab; redis: StartedRedisStore };

      beforeAll(async () => {
        if (scheme === 'https') certificate = await makeCertificate(...siteNames);
        shared.redis = await startRedisStore();
        browser = await start[browserName]();
        shared.tab = await browser.open();
        shared.tabWithoutScripts = await browser.open({ runsScripts: false });
      });
      afterAll(async () => {
        await browser.close();
        await shared.redis.close();
      });

      const rows = ways.flatMap(([responseType, responseMode]) =>
        (['lax', 'strict'] as const).map((sameSite) => ({ responseType, responseMode, sameSite })),
      );
      describe.each(rows)('by $responseMode, session cookie $sameSite,', (row) => {
        const { responseType, responseMode, sameSite } = row;
        let site: BrowserSite;
        const ofTest: BrowserSite[] = [];
        const others: OtherSite[] = [];
        const startSite = (setup: BrowserSiteSetup): Promise<BrowserSite> =>
          startBrowserSite({
            certificate,
            sameSite,
            ...setup,
            oidc: { responseType, responseMode, ...setup.oidc },
          });

        beforeAll(async () => {
          site = await startSite({});
        });
        afterAll(() => site.close());
        beforeEach(async () => {
          const { op, seenUrls, answeredUrls, setCookies } = site;
          op.honest();
          Object.assign(op, { asksUser: false, subject: 'ada' });
          for (const list of [op.requests, seenUrls, answeredUrls, setCookies]) list.length = 0;
          await shared.tab.show();
          await shared.tab.deleteCookies();
        });
        afterEach(async () => {
          const set = [site, ...ofTest].flatMap(({ setCookies }) => setCookies);
          for (const each of [...ofTest.splice(0), ...others.splice(0)]) await each.close();
          // Whatever the test was about. SameSite=None is nowhere needed.
          expect(set.filter((cookie) => !/; SameSite=(Lax|Strict)/.test(cookie))).toEqual([]);
        });

        describeRows({
          browserName,
          scheme,
          responseMode,
          sameSite,
          get tab() {
            return shared.tab;
          },
          get tabWithoutScripts() {
            return shared.tabWithoutScripts;
          },
          get redis() {
            return shared.redis;
          },
          get site() {
            return site;
          },
          async startSite(setup) {
            const started = await startSite(setup);
            ofTest.push(started);
            return started;
          },
          async startOtherSite() {
            const started = await startOtherSite(certificate);
            others.push(started);
            return started;
          },
        });
      });
    },
  );
}
