import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import express, { type Express } from 'express';
import session from 'express-session';
import { type CommonOptions, type HybridFlow, hybridFlow } from 'passport-oidc-hybrid';
import {
  clientOf,
  type FakeClock,
  type FakeOp,
  fakeClock,
  fakeOp,
  signInAs,
} from 'passport-oidc-hybrid/testing';
import request from 'supertest';

let op: FakeOp;
let clock: FakeClock;
beforeEach(async () => {
  clock = fakeClock();
  op = await fakeOp({ now: clock.now });
});
afterEach(() => op.stop());

function createApp(
  changed: Partial<CommonOptions> = {},
  cookie: session.CookieOptions = {},
): Express {
  const oidc: HybridFlow = hybridFlow({
    ...clientOf(op),
    baseUrl: 'http://localhost:3000',
    now: clock.now,
    ...changed,
  });
  const app = express();
  const secret = 'a secret for tests, which signs session cookies';
  app.use(session({ secret, resave: false, saveUninitialized: false, cookie }));
  app.use(oidc.router());
  app.get('/me', oidc.requireAuth(), (req, res) => {
    res.json({ ...req.oidc.claims, bearer: req.headers.authorization });
  });
  app.get('/secure', oidc.requireAuth({ login: { acrValues: 'mfa' } }), (req, res) => {
    res.json({ acr: req.oidc.claims.acr });
  });
  return app;
}

describe('signInAs(), with an agent of supertest', () => {
  it('signs in whom the test says, with the claims that it says', async () => {
    const agent = request.agent(createApp());
    await agent.get('/me').expect(401);
    await signInAs(agent, { sub: 'grace', roles: ['admin'] });
    const { body } = await agent.get('/me').expect(200);
    expect(body).toMatchObject({ sub: 'grace', roles: ['admin'], iss: op.issuer });
    expect(op.ownerOf(String(body.bearer).slice('Bearer '.length))).toBe('grace');
  });

  it('takes a subject alone, or the one of the OP', async () => {
    const app = createApp();
    const [one, other] = [request.agent(app), request.agent(app)];
    await Promise.all([signInAs(one, 'grace'), signInAs(other)]);
    expect((await one.get('/me').expect(200)).body.sub).toBe('grace');
    expect((await other.get('/me').expect(200)).body.sub).toBe('ada');
  });

  it.each<[name: string, changed: Partial<CommonOptions>, cookie: session.CookieOptions]>([
    ['code', { responseType: 'code' }, {}],
    ['code id_token token', { responseType: 'code id_token token' }, {}],
    ['code token by a fragment', { responseType: 'code token', responseMode: 'fragment' }, {}],
    ['a pushed request', { pushedAuthorizationRequests: 'always' }, {}],
    ['a request by a form', { authorizationRequestMethod: 'post' }, {}],
    ['a Strict session cookie', {}, { sameSite: 'strict' }],
    ['a base URL with a path', { baseUrl: 'http://localhost:3000/shop' }, {}],
    ['a callback of its own', { callbackPath: '/login/return' }, {}],
  ])('goes through a login with %s', async (_name, changed, cookie) => {
    const inner = createApp(changed, cookie);
    const { baseUrl = '' } = changed;
    const app = baseUrl.endsWith('/shop') ? express().use('/shop', inner) : inner;
    const agent = request.agent(app);
    const base = baseUrl.endsWith('/shop') ? '/shop' : '';
    await signInAs(agent, 'grace', { at: `${base}/login` });
    expect((await agent.get(`${base}/me`).expect(200)).body.sub).toBe('grace');
  });

  it('begins where the test says', async () => {
    const agent = request.agent(createApp());
    await signInAs(agent, 'grace', { at: '/secure' });
    expect((await agent.get('/secure').expect(200)).body).toEqual({ acr: 'mfa' });
  });

  it('keeps the claims over a refresh, which the clock brings about', async () => {
    const agent = request.agent(createApp());
    await signInAs(agent, { sub: 'grace', roles: ['admin'] });
    clock.advance(3600);
    expect((await agent.get('/me').expect(200)).body.roles).toEqual(['admin']);
    expect(op.refreshes).toEqual({ granted: 1, reused: 0 });
  });

  it('fails with the code of the refusal where the OP lies', async () => {
    const agent = request.agent(createApp());
    op.lie({ frontIdToken: { claims: { c_hash: 'wrong' } } });
    await expect(signInAs(agent)).rejects.toThrow('/callback with ERR_OIDC_C_HASH_MISMATCH');
    op.honest();
    op.lie({ backIdToken: { claims: { nonce: 'wrong' } } });
    await expect(signInAs(agent)).rejects.toThrow('ERR_OIDC_ID_TOKEN_NONCE');
    await agent.get('/me').expect(401);
    op.honest();
    await signInAs(agent);
    await agent.get('/me').expect(200);
  });

  it('says where a login leads that is at no OP of this process, and what is no login', async () => {
    const agent = request.agent(createApp());
    await expect(signInAs(agent, 'ada', { at: '/nothing' })).rejects.toThrow(
      '/nothing with status 404',
    );
    const elsewhere = express().get('/login', (_req, res) => {
      res.redirect('https://op.example/authorize');
    });
    await expect(signInAs(request.agent(elsewhere))).rejects.toThrow(
      'https://op.example, where no fakeOp',
    );
  });
});

describe('fakeOp()', () => {
  it('does not start in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(fakeOp()).rejects.toThrow('NODE_ENV is "production"');
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('is reached from this machine only, and gives each OP secrets of its own', async () => {
    expect(op.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const other = await fakeOp({ clientId: 'other' });
    const [one, two] = [clientOf(op), clientOf(other)];
    await other.stop();
    expect(two.clientId).toBe('other');
    expect(one.clientSecret).not.toBe(two.clientSecret);
    expect(one.secret).not.toBe(two.secret);
    expect(one.issuer).not.toBe(two.issuer);
  });
});
