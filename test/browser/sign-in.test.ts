import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import express, { type Express } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { type HybridFlow, hybridFlow } from 'passport-oidc-hybrid';
import type { BrowserContext, Page } from 'playwright-core';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { startCertifiedOp } from '../support/certified-op.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { sealingSecret } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';
import { type ResourceServer, startResourceServer } from '../support/resource-server.ts';

function buildApp(oidc: HybridFlow, api: ResourceServer, sameSite: 'lax' | 'strict'): Express {
  const app = express();
  app.use(helmet());
  app.use(
    session({
      name: '__Host-sid',
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite, secure: true },
    }),
  );
  app.use(oidc.router());
  app.get('/', oidc.optionalAuth(), (req, res) => {
    res.send(`<h1>${req.oidc ? `Hello ${req.oidc.claims.sub}` : 'Nobody'}</h1>
      <a href="/cart">Buy tea</a> <a href="/private">Private</a> <a href="/logout">Sign out</a>
      <form method="post" action="/logout"><button>Sign out by form</button></form>`);
  });
  app.get('/cart', (req, res) => {
    req.session.basket = ['tea'];
    res.redirect('/');
  });
  app.get('/private', oidc.requireAuth(), async (req, res) => {
    const answer = await req.oidc?.fetch(`${api.url}/orders`);
    const { sub } = JSON.parse((await answer?.text()) ?? '{}');
    res.send(`<h1>The API knows ${sub}, with ${req.session.basket}</h1><a href="/">Home</a>`);
  });
  app.get('/api', oidc.requireAuth(), (req, res) => {
    res.json({ isBearer: req.headers.authorization?.startsWith('Bearer ') });
  });
  return app;
}

describeWithParts(
  ['chromium', 'openssl'],
  'in Chromium, over https, with the OP on another site',
  () => {
    let chromium: Chromium;
    let certificate: Certificate;
    const closing: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      certificate = await makeCertificate('rp.example', 'op.test');
      chromium = await startChromium({
        hostRules: 'MAP *.test 127.0.0.1, MAP *.example 127.0.0.1',
      });
    }, 60_000);
    afterEach(async () => {
      for (const close of closing.splice(0)) await close();
    });
    afterAll(() => chromium.close());

    interface Visit {
      readonly origin: string;
      readonly page: Page;
      readonly context: BrowserContext;
    }

    async function visit(sameSite: 'lax' | 'strict'): Promise<Visit> {
      const site = await listenTls(certificate);
      const origin = `https://rp.example:${site.port}`;
      const op = await startCertifiedOp({
        redirectUris: [`${origin}/callback`],
        postLogoutRedirectUris: [`${origin}/logout/callback`],
        certificate,
        host: 'op.test',
      });
      const api = await startResourceServer({ op });
      const oidc = hybridFlow({
        issuer: op.issuer,
        clientId: op.clientId,
        clientSecret: op.clientSecret,
        baseUrl: origin,
        secret: sealingSecret,
        resource: op.audience,
        fetch: op.fetch,
      });
      site.server.on('request', buildApp(oidc, api, sameSite));
      const context = await chromium.browser.newContext({ ignoreHTTPSErrors: true });
      closing.push(() => context.close(), site.close, op.close, api.close);
      return { origin, context, page: await context.newPage() };
    }

    it.each(['lax', 'strict'] as const)(
      'signs in by form_post, calls the API and signs out, session cookie %s',
      async (sameSite) => {
        const { origin, page, context } = await visit(sameSite);
        const callbacks: string[] = [];
        page.on('request', (request) => {
          const { pathname } = new URL(request.url());
          if (pathname === '/callback') callbacks.push(request.method());
        });
        await page.goto(origin);
        await page.click('text=Buy tea');
        const [before] = await context.cookies(origin);
        await page.click('text=Private');
        await page.waitForURL(`${origin}/private`);
        expect(await page.textContent('h1')).toBe('The API knows ada, with tea');
        expect(callbacks).toEqual(['POST', 'GET']);

        const cookies = await context.cookies(origin);
        expect(cookies.map(({ name }) => name)).toEqual(['__Host-sid']);
        expect(cookies[0]?.value).not.toBe(before?.value);
        expect(await page.evaluate('fetch("/api").then((answer) => answer.json())')).toEqual({
          isBearer: true,
        });

        await page.goto(origin);
        expect(await page.textContent('h1')).toBe('Hello ada');
        await page.click('text=Sign out by form');
        await page.waitForURL(`${origin}/`);
        expect(await page.textContent('h1')).toBe('Nobody');
        expect(await page.evaluate('fetch("/api").then((answer) => answer.status)')).toBe(401);
      },
      60_000,
    );

    it('signs out by a link', async () => {
      const { origin, page } = await visit('lax');
      await page.goto(`${origin}/private`);
      await page.waitForURL(`${origin}/private`);
      await page.click('text=Home');
      await page.click('a[href="/logout"]');
      await page.waitForURL(`${origin}/`);
      expect(await page.textContent('h1')).toBe('Nobody');
    }, 60_000);
  },
);
