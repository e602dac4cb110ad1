import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import {
  type BrowserSite,
  type BrowserSiteSetup,
  siteNames,
  startBrowserSite,
} from '../support/browser-site.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type Firefox, startFirefox } from '../support/firefox.ts';
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
