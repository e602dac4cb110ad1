import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestHandler } from 'express';
import type { HybridFlow } from 'passport-oidc-hybrid';
import request from 'supertest';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
  await flow.signIn();
});
afterEach(() => flow.close());

const evil = 'https://evil.example';
const isSignedIn = async (): Promise<boolean> =>
  json(await flow.browser.navigate(flow.baseUrl))['claims'] !== null;

describe('a logout that another site causes', () => {
  it.each(['GET', 'POST'] as const)(
    'by %s ends nothing before the visitor has said yes',
    async (method) => {
      const url = `${flow.baseUrl}/logout`;
      const asked = await flow.browser.navigate({ method, url, from: evil });
      expect(asked).toMatchObject({ status: 200, url });
      expect(asked.text).toContain('<form method="post" action="/logout?return_to=%2F">');
      expect(flow.op.count('/end_session')).toBe(0);
      expect(await isSignedIn()).toBe(true);
      // The form of that page is the application's own.
      await flow.browser.navigate({ method: 'POST', url, from: flow.baseUrl });
      expect(await isSignedIn()).toBe(false);
    },
  );

  it.each([
    ['an image', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
    ['a frame', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }],
    ['a prefetch', { 'Sec-Purpose': 'prefetch' }],
  ])('by %s ends nothing', async (_what, headers) => {
    const url = `${flow.baseUrl}/logout`;
    const answer = await flow.browser.perform({ method: 'GET', url, from: evil, headers });
    expect([answer.status, errorCode(answer)]).toEqual([403, 'ERR_OIDC_NOT_A_NAVIGATION']);
    expect(await isSignedIn()).toBe(true);
  });

  it.each([
    ['our own', (): string => flow.baseUrl, false],
    ['another', (): string => evil, true],
    ['no', (): string => 'null', true],
  ])(
    'from an old browser, without Fetch Metadata, goes by the Origin: %s',
    async (_name, origin, stays) => {
      await request(flow.baseUrl)
        .post('/logout')
        .set({ Origin: origin(), Cookie: await flow.browser.jar.getCookieString(flow.baseUrl) });
      expect(await isSignedIn()).toBe(stays);
    },
  );

  it.each(['/logout/callback', '/logout/callback?state=x'])(
    'by a forged return from the OP (%s) ends nothing',
    async (path) => {
      const arrival = await flow.browser.navigate({
        method: 'GET',
        url: `${flow.baseUrl}${path}`,
        from: evil,
      });
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(await isSignedIn()).toBe(true);
    },
  );
});

describe('a link of another site to the logout route, session cookie Strict', () => {
  /** Whatever asks for a login in front of the router: it could lead the browser back as one of our own pages. */
  const inFront: [string, (oidc: () => HybridFlow) => RequestHandler][] = [
    [
      'a silent login',
      (oidc) =>
        (...args) =>
          oidc().optionalAuth({ silentLogin: true })(...args),
    ],
    [
      'a guard',
      (oidc) =>
        (...args) =>
          oidc().requireAuth()(...args),
    ],
  ];

  it.each(inFront)('with %s in front ends nothing', async (_what, middleware) => {
    await flow.close();
    flow = await startFlow({
      session: { cookie: { sameSite: 'strict' } },
      oidc: { logoutPath: '/account/logout' },
      before: (app) =>
        void app.use(
          '/account',
          middleware(() => flow.oidc),
        ),
    });
    await flow.signIn();
    const url = `${flow.baseUrl}/account/logout`;
    await flow.browser.navigate({ method: 'GET', url, from: evil });
    expect(flow.op.count('/end_session')).toBe(0);
    expect(await isSignedIn()).toBe(true);
    // A link of our own does.
    await flow.browser.navigate({ method: 'GET', url, from: flow.baseUrl });
    expect(await isSignedIn()).toBe(false);
  });
});
