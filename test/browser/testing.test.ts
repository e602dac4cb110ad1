import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import express from 'express';
import session from 'express-session';
import { type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { clientOf, type FakeOp, fakeOp, signInAs } from 'passport-oidc-hybrid/testing';
import type { Page } from 'playwright-core';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { type Listening, listen } from '../support/listen.ts';
import { describeWithParts } from '../support/parts.ts';

describeWithParts(['chromium'], 'signInAs(), with a page of Playwright', () => {
  let chromium: Chromium;
  let op: FakeOp;
  let listening: Listening;
  let page: Page;
  beforeAll(async () => {
    chromium = await startChromium();
  }, 60_000);
  afterAll(() => chromium.close());
  beforeEach(async () => {
    op = await fakeOp();
    listening = await listen();
  });
  afterEach(async () => {
    await page.context().close();
    await listening.close();
    await op.stop();
  });

  /** Starts an application, and opens a page of it. */
  async function open(
    changed: Partial<CommonOptions>,
    cookie: session.CookieOptions,
  ): Promise<void> {
    const baseUrl = `http://localhost:${listening.port}`;
    const oidc = hybridFlow({ ...clientOf(op), baseUrl, ...changed });
    const app = express();
    const secret = 'a secret for tests, which signs session cookies';
    app.use(session({ secret, resave: false, saveUninitialized: false, cookie }));
    app.use(oidc.router());
    app.get('/me', oidc.requireAuth(), (req, res) => {
      res.send(`<h1>${req.oidc.claims.sub} of ${String(req.oidc.claims['team'])}</h1>`);
    });
    listening.server.on('request', app);
    page = await (await chromium.browser.newContext({ baseURL: baseUrl })).newPage();
  }

  it.each<[name: string, changed: Partial<CommonOptions>, cookie: session.CookieOptions]>([
    ['form_post', {}, { sameSite: 'lax' }],
    ['a fragment', { responseMode: 'fragment' }, { sameSite: 'lax' }],
    ['a query', { responseType: 'code' }, { sameSite: 'lax' }],
    ['form_post and a Strict session cookie', {}, { sameSite: 'strict' }],
    ['a request by a form', { authorizationRequestMethod: 'post' }, { sameSite: 'lax' }],
  ])('leads to the page where the login began, by %s', async (_name, changed, cookie) => {
    await open(changed, cookie);
    await signInAs(page, { sub: 'grace', team: 'navy' }, { at: '/me' });
    expect(new URL(page.url()).pathname).toBe('/me');
    expect(await page.textContent('h1')).toBe('grace of navy');
  });

  it('fails with the code of the refusal where the OP lies', async () => {
    await open({}, {});
    op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    await expect(signInAs(page, 'grace', { at: '/me' })).rejects.toThrow('ERR_OIDC_ID_TOKENS_SUB');
  });
});
