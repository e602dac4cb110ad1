import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  siteNames,
  startBrowserSite,
  startOtherSite,
} from '../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type Firefox, type FirefoxTab, startFirefox } from '../support/firefox.ts';
import { describeWithParts } from '../support/parts.ts';

jest.setTimeout(60_000);

const rows = (
  [
    ['code id_token', 'form_post'],
    ['code id_token', 'fragment'],
    ['code', 'query'],
  ] as const
).flatMap(([responseType, responseMode]) =>
  (['lax', 'strict'] as const).flatMap((sameSite) =>
    (['https', 'http'] as const).map((scheme) => ({
      responseType,
      responseMode,
      sameSite,
      scheme,
    })),
  ),
);

describeWithParts(['firefox-esr', 'openssl'], 'logins in Firefox, the OP on another site', () => {
  let firefox: Firefox;
  let certificate: Certificate;
  let site: BrowserSite;

  beforeAll(async () => {
    certificate = await makeCertificate(...siteNames);
    firefox = await startFirefox(siteNames);
  });
  afterEach(() => site.close());
  afterAll(() => firefox.close());

  const start = async (scheme: 'https' | 'http', setup: BrowserSiteSetup): Promise<void> => {
    site = await startBrowserSite({
      ...setup,
      certificate: scheme === 'https' ? certificate : undefined,
    });
  };
  const heading = "document.querySelector('h1').textContent";
  const agree = "document.querySelector('button').click()";
  const cart = "document.querySelector('#cart').textContent";

  it.each(rows)(
    'by $responseMode, session cookie $sameSite, $scheme: cart kept, landing page signed in',
    async ({ responseType, responseMode, sameSite, scheme }) => {
      await start(scheme, { sameSite, oidc: { responseType, responseMode } });
      const tab = await firefox.open();
      await tab.go(`${site.origin}/cart`, `${site.origin}/`);
      await tab.go(`${site.origin}/private?page=2`);
      expect(await tab.evaluate(heading)).toBe('Private of ada');
      expect(await tab.evaluate(cart)).toBe('tea');
      expect(await tab.cookieNames()).toEqual([site.sessionCookie]);
    },
  );

  it.each(rows)(
    'by $responseMode, session cookie $sameSite, $scheme: in three tabs, in another order; back, reload, once more',
    async ({ responseType, responseMode, sameSite, scheme }) => {
      await start(scheme, { sameSite, oidc: { responseType, responseMode } });
      const tab = await firefox.open();
      await tab.go(`${site.origin}/cart`, `${site.origin}/`);
      const tabs = [tab, await tab.another(), await tab.another()];
      site.op.asksUser = true;
      for (const [index, each] of tabs.entries()) {
        await each.goAnywhere(`${site.origin}/private?tab=${index}`, 'Sign in');
      }
      for (const index of [2, 0, 1]) {
        const each = tabs[index] as FirefoxTab;
        await each.act(agree, `${site.origin}/private?tab=${index}`);
        expect([await each.evaluate(heading), await each.evaluate(cart)]).toEqual([
          'Private of ada',
          'tea',
        ]);
      }
      expect(await tab.cookieNames()).toEqual([site.sessionCookie]);
      await tab.reload();
      expect(await tab.evaluate(heading)).toBe('Private of ada');
      await tab.back('Sign in');
      await tab.act(agree, `${site.origin}/private?tab=0`);
      expect(await tab.evaluate(heading)).toBe('Private of ada');
      expect(site.op.count('/token')).toBe(3);
    },
  );

  it.each(['https', 'http'] as const)(
    'by a link of another site, session cookie strict, %s: cart kept, and no second login',
    async (scheme) => {
      await start(scheme, { sameSite: 'strict' });
      const mail = await startOtherSite(scheme === 'https' ? certificate : undefined);
      const tab = await firefox.open();
      await tab.go(`${site.origin}/cart`, `${site.origin}/`);
      for (const url of [`${site.origin}/private?page=2`, `${site.origin}/private?page=3`]) {
        await tab.go(mail.linkTo(url));
        await tab.actAnywhere("document.querySelector('a').click()", 'Private of ada');
        expect([await tab.evaluate('location.href'), await tab.evaluate(cart)]).toEqual([
          url,
          'tea',
        ]);
      }
      expect(site.op.count('/authorize')).toBe(1);
      expect(site.seenUrls.filter((url) => url.includes('oidc_arrival='))).toHaveLength(2);
      await mail.close();
    },
  );

  it('by a request by POST, and silently', async () => {
    await start('https', { oidc: { authorizationRequestMethod: 'post' } });
    const tab = await firefox.open();
    await tab.go(`${site.origin}/news`);
    expect(await tab.evaluate(heading)).toBe('News for ada');
    expect(site.op.lastRequest('/authorize').method).toBe('POST');
  });

  it('whose cookie is missing, begun on another host, end signed in', async () => {
    await start('http', {});
    const tab = await firefox.open();
    await tab.go(`${site.origin.replace('localhost', '127.0.0.1')}/private`, `${site.origin}/`);
    expect(await tab.evaluate(heading)).toBe('Hello ada');
  });
});
