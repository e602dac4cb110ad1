import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestHandler } from 'express';
import type { CookieOptions } from 'express-session';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('a session cookie that browsers would not send back', () => {
  it.each<[string, CookieOptions, string]>([
    [
      'SameSite=None without Secure',
      { sameSite: 'none', secure: 'auto' },
      'it is SameSite=None without Secure',
    ],
    ['of another domain', { domain: 'shop.example' }, 'its domain'],
    ['of a domain that only ends alike', { domain: 'calhost' }, 'its domain'],
    ['of another path', { path: '/private' }, 'its path'],
    ['Secure, where requests are not', { secure: true }, 'the session cookie is Secure'],
  ])('(%s) is one error, and no trip to the OP', async (_what, cookie, reason) => {
    flow = await startFlow({ session: { cookie } });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_COOKIE']);
    expect(arrival.text).toContain('Sign-in is not set up correctly');
    expect(arrival.text).toContain(reason);
    expect(flow.op.count('/authorize')).toBe(0);
  });

  it.each<[string, CookieOptions]>([
    ['of the host itself', { domain: 'localhost' }],
    ['of the whole host', { path: '/' }],
    ['Secure as the request is', { secure: 'auto', sameSite: 'strict' }],
  ])('is none (%s)', async (_what, cookie) => {
    flow = await startFlow({ session: { cookie } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('is none with SameSite=Strict, however that is written: the landing brings it', async () => {
    for (const sameSite of ['strict', 'Strict', true] as const) {
      flow = await startFlow({ session: { cookie: { sameSite: sameSite as 'strict' } } });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      expect(flow.op.count('/authorize')).toBe(1);
      await flow.close();
    }
  });

  it.each([
    ['/shop', 200],
    ['/shop/', 200],
    ['/', 200],
    ['/sho', 500],
  ])('below a path is one with the path %s: %i', async (path, status) => {
    flow = await startFlow({ path: '/shop', session: { cookie: { path } } });
    expect((await flow.browser.navigate(`${flow.baseUrl}/login`)).status).toBe(status);
  });
});

/** As if express-session came after the handler. */
const beforeSessions =
  (handler: RequestHandler): RequestHandler =>
  (req, res, next) => {
    const { session, sessionID, sessionStore } = req;
    for (const name of ['session', 'sessionID', 'sessionStore']) Reflect.deleteProperty(req, name);
    handler(req, res, (error: unknown) => {
      Object.assign(req, { session, sessionID, sessionStore });
      next(error);
    });
  };

describe('express-session behind the router', () => {
  const start = async (): Promise<void> => {
    flow = await startFlow({
      router: (app, oidc) => void app.use(beforeSessions(oidc.router())),
    });
  };

  it('is an error of the set-up, for who comes to the login route first', async () => {
    await start();
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_MISSING']);
  });

  it('is told as one of two causes where a guard behind it has seen sessions', async () => {
    await start();
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    expect(arrival.text).toContain('mount express-session before oidc.router()');
  });
});

describe('behind a proxy that ends TLS', () => {
  const https = { oidc: { baseUrl: 'https://app.example' } };
  const throughProxy = (path: string) => ({
    method: 'GET' as const,
    url: `${flow.baseUrl}${path}`,
    from: undefined,
    headers: { 'X-Forwarded-Proto': 'https', Host: 'app.example' },
  });

  it.each([
    ['with trust proxy', 1, 303],
    ['without trust proxy', false, 500],
  ])('%s, a Secure session cookie: %s is %i', async (_how, trusted, status) => {
    flow = await startFlow({
      ...https,
      session: { cookie: { secure: true } },
      before: (app) => void app.set('trust proxy', trusted),
    });
    for (const path of ['/login', '/private']) {
      const answer = await flow.browser.perform(throughProxy(path));
      expect(answer.status).toBe(status);
      const cookies = answer.setCookies.join();
      if (status === 303) expect(cookies).toMatch(/^__Host-oidc\..*; Secure; SameSite=Lax$/);
      else expect([cookies, errorCode(answer)]).toEqual(['', 'ERR_OIDC_SESSION_COOKIE']);
    }
  });
});

describe('two applications on one host', () => {
  it('sign in side by side, each with its own session and cookies', async () => {
    flow = await startFlow({ session: { name: 'one.sid' } });
    const other = await startFlow({ op: flow.op, session: { name: 'two.sid' } });
    const browser = new Browser();
    const pending = await browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
      url.startsWith(`${flow.baseUrl}/callback`),
    );
    // Cookies know no ports: a whole login at the other one happens meanwhile.
    expect(await browser.navigate(`${other.baseUrl}/private`)).toMatchObject({ status: 200 });
    if (pending.next === undefined) throw new Error('no callback');
    expect(json(await browser.navigate(pending.next))).toMatchObject({ sub: 'ada' });
    for (const { baseUrl } of [flow, other]) {
      expect(await browser.fetch(`${baseUrl}/api/x`)).toMatchObject({ status: 200 });
    }
    expect((await browser.cookieNames(flow.baseUrl)).sort()).toEqual(['one.sid', 'two.sid']);
    await browser.navigate(`${flow.baseUrl}/logout`);
    expect(await browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
    expect(await browser.fetch(`${other.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    await other.close();
  });
});
