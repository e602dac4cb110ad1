import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { CookieJar } from 'tough-cookie';
import { Browser } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';
import { upTo } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

/** A flow behind a proxy that ends TLS, and the cookies that its login sets. */
async function cookiesOverTls(): Promise<string[]> {
  flow = await startFlow({
    oidc: { baseUrl: 'https://app.example' },
    before: (app) => void app.set('trust proxy', 1),
  });
  const answer = await request(`http://localhost:${new URL(flow.baseUrl).port}`)
    .get('/login')
    .set({ Accept: 'text/html', 'X-Forwarded-Proto': 'https' });
  expect(answer.status).toBe(303);
  return [answer.headers['set-cookie'] ?? []].flat() as string[];
}

describe('RFC 6265bis 4.1.3.2 a cookie from a sibling domain', () => {
  it('cannot have the name of ours: __Host-, Secure, no Domain, the whole path', async () => {
    const cookies = await cookiesOverTls();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^__Host-oidc\.[\w-]{6}\.tx\.[\w-]{16}=/);
    expect(cookies[0]).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(cookies[0]).not.toMatch(/domain=/i);
  });

  it('is refused by browsers, while ours is taken', async () => {
    const [cookie = ''] = await cookiesOverTls();
    const jar = new CookieJar(undefined, { prefixSecurity: 'strict' });
    await jar.setCookie(cookie, 'https://app.example/login');
    const name = cookie.split('=')[0] ?? '';
    for (const tossed of [
      `${name}=evil; Domain=example; Path=/; Secure`,
      `${name}=evil; Path=/callback; Secure`,
      `${name}=evil; Path=/`,
    ]) {
      await expect(jar.setCookie(tossed, 'https://evil.app.example/')).rejects.toThrow();
    }
    expect(await jar.getCookieString('https://app.example/callback')).toBe(cookie.split(';')[0]);
  });
});

describe('cookies that somebody has planted', () => {
  it('of the same name, before or after ours, sign nobody else in', async () => {
    flow = await startFlow();
    flow.op.subject = 'eve';
    const attacker = new Browser();
    await upTo(flow, '/callback?oidc_response=', attacker);
    const foreign = (await attacker.jar.getCookieString(flow.baseUrl)).split('=')[1] ?? '';
    flow.op.subject = 'ada';
    const callback = await upTo(flow, '/callback?oidc_response=');
    const own = await flow.browser.jar.getCookieString(flow.baseUrl);
    const name = own.split('=')[0];
    const path = callback.url.slice(flow.baseUrl.length);
    const send = (cookie: string): request.Test =>
      request(flow.baseUrl).get(path).set({ Cookie: cookie, Accept: 'text/html' });
    const refused = await send(`${name}=${foreign}; ${own}`);
    // The page of another try, or a new login, and never a session.
    expect(refused.headers['location']).not.toBe('/private');
    expect(String(refused.headers['set-cookie'])).not.toContain('connect.sid');
    expect(flow.op.count('/token')).toBe(0);
    expect((await send(`${own}; ${name}=${foreign}`)).headers['location']).toBe('/private');
  });

  it('with the names of transactions are cleared away, and the next login works', async () => {
    flow = await startFlow();
    await upTo(flow, '/callback');
    const [own = ''] = await flow.browser.cookieNames(flow.baseUrl);
    const prefix = own.slice(0, -16);
    for (let index = 0; index < 30; index += 1) {
      const name = `${prefix}${String(index).padStart(16, 'x')}`;
      await flow.browser.jar.setCookie(`${name}=zzzzzzzz.${'A'.repeat(80)}; Path=/`, flow.baseUrl);
    }
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect((await flow.browser.cookieNames(flow.baseUrl)).length).toBeLessThan(6);
  });
});
