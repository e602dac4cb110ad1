import { describe, expect, it } from '@jest/globals';
import type { BrowserSiteSetup } from '../../support/browser-site.ts';
import type { Combination } from './combination.ts';

/** Logins at applications that are set up in the ways that people have. */
export function describeSetUps(combination: Combination): void {
  const { responseMode, scheme } = combination;

  describe('at an application', () => {
    it('that sends the authorization request by POST end where they began', async () => {
      const { tab } = combination;
      const { origin, op } = await combination.startSite({
        oidc: { authorizationRequestMethod: 'post' },
      });
      await tab.go(`${origin}/cart`, { url: `${origin}/` });
      await tab.go(`${origin}/private?page=2`, { title: 'Private of ada' });
      expect(await tab.evaluate('location.href')).toBe(`${origin}/private?page=2`);
      expect(await tab.text('#cart')).toBe('tea');
      expect(op.lastRequest('/authorize')).toMatchObject({ method: 'POST', headers: { origin } });
    });

    it('below a path, beside another one on that host, disturb neither', async () => {
      const { tab } = combination;
      const shop = await combination.startSite({
        path: '/shop',
        sessionCookie: 'shop.sid',
        // Browsers refuse __Host- with a path.
        oidc: { transactionCookie: { name: 'shop', path: '/shop' } },
      });
      const other = await combination.startSite({ sessionCookie: 'other.sid' });
      shop.op.asksUser = true;
      // Cookies know no ports: a whole login happens at the other one meanwhile.
      await tab.go(`${shop.baseUrl}/private`, { title: 'Sign in' });
      const question = await tab.evaluate('location.href');
      await tab.go(`${other.origin}/private`);
      await tab.go(String(question));
      await tab.click('button', { url: `${shop.baseUrl}/private` });
      expect(await tab.text('h1')).toBe('Private of ada');
      await tab.go(`${other.origin}/private`);
      expect(await tab.text('h1')).toBe('Private of ada');
      expect([shop.op.count('/token'), other.op.count('/token')]).toEqual([1, 1]);
      const begun = shop.setCookies.filter((cookie) => cookie.includes('.tx.'));
      for (const cookie of begun) expect(cookie).toMatch(/^(__Secure-)?shop\..*; Path=\/shop;/);
      const names = (await tab.cookies(shop.origin)).map(({ name }) => name);
      expect(names).toEqual(['other.sid', 'shop.sid']);
    });

    it('of two names, begun on the one that is not of the callback, end signed in on the other', async () => {
      const { tab, site } = combination;
      const elsewhere = site.origin
        .replace('//rp.example', '//www.rp.example')
        .replace('//localhost', '//127.0.0.1');
      await tab.go(`${elsewhere}/private`, { url: `${site.origin}/` });
      expect(await tab.text('h1')).toBe('Hello ada');
    });

    // A host of loopback, which no certificate is for.
    if (scheme === 'http') {
      it('on 127.0.0.1, with the OP on localhost, end where they began', async () => {
        const { tab } = combination;
        const { origin } = await combination.startSite({ host: '127.0.0.1' });
        await tab.go(`${origin}/cart`, { url: `${origin}/` });
        await tab.go(`${origin}/private`);
        expect([await tab.text('h1'), await tab.text('#cart')]).toEqual(['Private of ada', 'tea']);
      });
    }

    // A proxy that ends TLS has nothing to end where there is none.
    if (scheme === 'https') {
      it.each<[string, BrowserSiteSetup, isSecure: boolean]>([
        ['with trust proxy, secure: true', { proxy: 'trusted', secure: true }, true],
        ["with trust proxy, secure: 'auto'", { proxy: 'trusted' }, true],
        [
          // It works, without Secure: a warning of the process says so.
          "without trust proxy, secure: 'auto'",
          { proxy: 'not trusted', sessionCookie: 'sid' },
          false,
        ],
      ])(
        'behind a proxy that ends TLS, %s, end where they began',
        async (_how, setup, isSecure) => {
          const { tab } = combination;
          const { origin, sessionCookie } = await combination.startSite(setup);
          await tab.go(`${origin}/cart`, { url: `${origin}/` });
          await tab.go(`${origin}/private`);
          expect([await tab.text('h1'), await tab.text('#cart')]).toEqual([
            'Private of ada',
            'tea',
          ]);
          const [cookie] = await tab.cookies(origin);
          expect(cookie).toMatchObject({ name: sessionCookie, secure: isSecure });
        },
      );

      it('behind such a proxy, without trust proxy, secure: true, are one clear error', async () => {
        const { tab } = combination;
        const site = await combination.startSite({ proxy: 'not trusted', secure: true });
        await tab.go(`${site.origin}/private`);
        expect(await tab.text('h1')).toBe('Sign-in is not set up correctly');
        expect(await tab.text('.detail')).toMatch(
          /ERR_OIDC_SESSION_COOKIE.*app\.set\("trust proxy", 1\)/,
        );
        expect(site.op.count('/authorize')).toBe(0);
        expect(site.setCookies).toEqual([]);
      });
    }
  });

  it(`in a browser that runs no scripts ${
    responseMode === 'fragment' ? 'end in a page that says what is needed' : 'go on by buttons'
  }`, async () => {
    const { tabWithoutScripts: tab } = combination;
    const { origin, op } = await combination.startSite({
      oidc: { authorizationRequestMethod: 'post' },
    });
    await tab.go(`${origin}/private`);
    expect(await tab.text('button')).toBe('Continue to the sign-in service');
    if (responseMode === 'fragment') {
      await tab.click('button', { url: /\/callback#/ });
      expect(await tab.text('.late')).toContain('Please allow scripts for this site');
      expect(await tab.text('.late a')).toBe('Sign in again');
      expect(op.count('/token')).toBe(0);
      return;
    }
    if (responseMode === 'form_post') {
      // The OP's own form does not submit itself either.
      await tab.click('button', { title: 'One moment' });
    }
    await tab.click('button', { url: `${origin}/private` });
    expect(await tab.text('h1')).toBe('Private of ada');
  });
}
