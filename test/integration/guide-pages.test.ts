import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import { type FakeOp, fakeOp } from 'passport-oidc-hybrid/testing';
import { Browser } from '../support/browser.ts';
import { json } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';
import { watchOutput } from '../support/output-watch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a reader has before a page that shows a part of an application. */
const before = `
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { hybridFlow } from 'passport-oidc-hybrid';
const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', BASE_URL = '' } = process.env;
const { OIDC_SECRET = '', SESSION_SECRET = '' } = process.env;
const credentials = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
const options = { issuer: ISSUER, ...credentials, baseUrl: BASE_URL, secret: OIDC_SECRET };
const users = { findOrCreate: async (sub: string) => ({ id: sub }) };
const app = express();
`;
const ownFlow = 'const oidc = hybridFlow(options);\n';

let op: FakeOp;
let site: Listening;
let api: Listening;
let folder: string;
let browser: Browser;
let baseUrl: string;
let variables: Readonly<Record<string, string>>;

beforeEach(async () => {
  op = await fakeOp();
  watchOutput(op);
  site = await listen();
  api = await listen((req, res) => {
    const token = (req.headers.authorization ?? '').slice('Bearer '.length);
    res.end(JSON.stringify({ who: op.ownerOf(token) ?? null, path: req.url, token }));
  });
  folder = await mkdtemp(join(root, 'test', 'page-'));
  browser = new Browser();
  baseUrl = `http://localhost:${site.port}`;
  variables = {
    ISSUER: op.issuer,
    CLIENT_ID: op.clientId,
    CLIENT_SECRET: op.clientSecret,
    BASE_URL: baseUrl,
    OIDC_SECRET: 'a secret for tests, which seals cookies and tokens',
    SESSION_SECRET: 'a secret for tests, which signs session cookies',
  };
  Object.assign(process.env, variables);
});
afterEach(async () => {
  for (const name of Object.keys(variables)) delete process.env[name];
  for (const part of [site, api]) await part.close();
  await op.stop();
  await rm(folder, { recursive: true });
});

/** The first program of a page, as it is printed but for the addresses of its APIs, and what its reader adds. */
async function run(
  page: string,
  setting: { first?: string; last?: string } = {},
): Promise<Express> {
  const text = await readFile(join(root, 'docs', 'guides', page), 'utf8');
  const [, code = ''] = /```ts\n(.*?)```/s.exec(text) ?? [];
  const apiUrl = `http://127.0.0.1:${api.port}`;
  const own = code
    .replace('app.listen(3000);\n', '')
    .replace(/(target: '|fetch\(')https:\/\/\w+\.example/g, (_all, verb) => `${verb}${apiUrl}`);
  const file = join(folder, 'server.ts');
  const parts = [setting.first ?? '', own, setting.last ?? '', 'export { app };\n'];
  await writeFile(file, parts.join('\n'));
  const { app } = (await import(pathToFileURL(file).href)) as { app: Express };
  site.server.on('request', app);
  return app;
}

const open = (path: string) => browser.navigate(`${baseUrl}${path}`);

describe('docs/guides', () => {
  it('single-page-app.md leads from a 401 by the login to the API, without a token for the browser', async () => {
    await run('single-page-app.md');
    expect(json(await browser.fetch(`${baseUrl}/me`))).toEqual({ name: null });
    expect((await browser.fetch(`${baseUrl}/api/orders`)).status).toBe(401);
    expect((await open('/login?return_to=/me')).url).toBe(`${baseUrl}/me`);
    const orders = json(await browser.fetch(`${baseUrl}/api/orders`));
    expect(orders).toMatchObject({ who: 'ada', path: '/orders' });
    const bodies = (await open('/me')).history.map(({ text }) => text).join();
    expect(bodies).not.toContain(orders['token']);
  });

  it('server-rendered-site.md shows pages to anybody, and orders to who is signed in', async () => {
    const app = await run('server-rendered-site.md');
    await writeFile(join(folder, 'home.ejs'), 'Hello, <%= locals.user?.sub ?? "nobody" %>.');
    await writeFile(join(folder, 'orders.ejs'), 'Orders of <%= orders.who %>');
    app.set('views', folder);
    expect((await open('/')).text).toBe('Hello, nobody.');
    expect((await open('/orders')).text).toBe('Orders of ada');
    expect((await open('/')).text).toBe('Hello, ada.');
  });

  it('several-apis.md gives each API a token of its own', async () => {
    await run('several-apis.md', { first: before });
    const { orders, bills } = json(await open('/summary')) as Record<
      'orders' | 'bills',
      { who: string; token: string }
    >;
    expect([orders.who, bills.who]).toEqual(['ada', 'ada']);
    expect(orders.token).not.toBe(bills.token);
    const billing = json(await open('/billing/x'));
    expect(billing).toMatchObject({ who: 'ada', path: '/x' });
    expect(billing['token']).not.toBe(orders.token);
    expect(op.lastRequest('/token').parameters).toMatchObject({
      resource: 'https://billing.example',
      scope: 'bills:read',
    });
    expect(json(await open('/orders/today'))).toMatchObject({ token: orders.token });
  });

  it('passport.md has Passport know the user, and the reason of a refusal leads on', async () => {
    const last = `app.get('/', (req, res) => { res.json(req.user ?? null); });
      app.get('/sorry', (_req, res) => { res.status(403).send('Sorry.'); });`;
    await run('passport.md', { first: before + ownFlow, last });
    expect((await open('/login')).text).toBe('Sorry.');
    op.claims = { email_verified: true };
    expect(json(await open('/login'))).toEqual({ id: 'ada' });
    await browser.navigate({ method: 'GET', url: `${baseUrl}/logout`, from: baseUrl });
    expect((await open('/')).text).toBe('null');
  });

  it('from-express-openid-connect.md has a page that needs a login', async () => {
    await run('from-express-openid-connect.md', { first: before });
    expect(json(await open('/profile'))).toMatchObject({ sub: 'ada', iss: op.issuer });
  });

  it('from-passport-openidconnect.md keeps the callback of before', async () => {
    const last = "app.get('/', (req, res) => { res.json(req.user ?? null); });";
    const sessions = `app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false }));
      app.use(passport.session());
      passport.serializeUser((user, done) => done(null, user));
      passport.deserializeUser((user, done) => done(null, user));`;
    await run('from-passport-openidconnect.md', { first: before + sessions, last });
    const arrival = await open('/login');
    expect(json(arrival)).toEqual({ id: 'ada' });
    expect(arrival.history.map(({ url }) => new URL(url).pathname)).toContain('/cb');
  });
});
