import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import request from 'supertest';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { listen } from '../support/listen.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('requireAuth', () => {
  it('answers an API call with problem details and a challenge', async () => {
    flow = await startFlow();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/api/orders`);
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'www-authenticate': `Cookie realm="${flow.baseUrl}", form-action="/login"`,
    });
    expect(json(answer)).toEqual({
      title: 'Unauthorized',
      status: 401,
      detail: 'This needs a sign-in. Please sign in and try again.',
      code: 'ERR_OIDC_LOGIN_REQUIRED',
      login: '/login',
    });
  });

  it.each([
    ['*/*', {}, 401],
    ['application/json', {}, 401],
    ['text/html', { 'X-Requested-With': 'XMLHttpRequest' }, 401],
    ['text/html,application/xhtml+xml,*/*;q=0.8', {}, 303],
  ])('of an old browser that accepts %s, with %j, is %i', async (accept, headers, status) => {
    flow = await startFlow();
    const answer = await request(flow.baseUrl)
      .get('/private')
      .set({ Accept: accept, ...headers });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['login', 303],
    ['problem', 401],
  ] as const)('is told by the route: %s', async (onUnauthenticated, status) => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/fixed', oidc.requireAuth({ onUnauthenticated }));
        app.get('/by-request', oidc.requireAuth({ onUnauthenticated: () => onUnauthenticated }));
      },
    });
    for (const path of ['/fixed', '/by-request']) {
      expect((await request(flow.baseUrl).get(path)).status).toBe(status);
    }
  });

  it('leads a form that was sent back to the page it was on', async () => {
    flow = await startFlow({
      routes: (app, oidc) =>
        void app.post('/order', oidc.requireAuth(), (_req, res) => void res.json({})),
    });
    const back = async (Referer: string): Promise<string> => {
      const url = `${flow.baseUrl}/order`;
      const hop = { method: 'POST', url, from: flow.baseUrl, headers: { Referer } } as const;
      const arrival = await new Browser().navigate(hop);
      // No redirect: Chromium would hold it against the form-action of the page.
      expect(arrival.history[0]).toMatchObject({ status: 200 });
      expect(arrival.history[1]?.url).toContain(`${flow.op.issuer}/authorize`);
      return arrival.url;
    };
    expect(await back(`${flow.baseUrl}/cart/tea`)).toBe(`${flow.baseUrl}/cart/tea`);
    expect(await back('https://evil.example/')).toBe(`${flow.baseUrl}/`);
  });

  it("replaces the caller's own Authorization header, wherever it stands", async () => {
    flow = await startFlow();
    await flow.signIn();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/api/x`, {
      headers: { Authorization: 'Bearer of-the-caller' },
    });
    const expected = `Bearer ${flow.op.accessTokens.back[0]}`;
    expect(json(answer)['authorization']).toBe(expected);
    expect(answer.text).not.toContain('of-the-caller');
    expect(json(answer)['rawHeaders']).toEqual(expect.arrayContaining(['Authorization', expected]));
    expect(json(answer)['distinct']).toEqual([expected]);
  });

  it('makes no call to the OP and sets no cookie while the token is fresh', async () => {
    flow = await startFlow();
    await flow.signIn();
    const before = flow.op.requests.length;
    for (let index = 0; index < 5; index += 1) {
      expect((await flow.browser.fetch(`${flow.baseUrl}/api/x`)).setCookies).toEqual([]);
    }
    expect(flow.op.requests).toHaveLength(before);
  });

  it('gives claims, the access token and a fetch', async () => {
    const api = await listen((req, res) => res.end(JSON.stringify(req.headers)));
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/all', oidc.requireAuth(), async (req, res) => {
          const answer = await req.oidc?.fetch(`http://127.0.0.1:${api.port}/`, {
            headers: { 'x-own': 'kept', authorization: 'Bearer other' },
          });
          res.json({
            claims: req.oidc?.claims,
            token: await req.oidc?.accessToken(),
            sent: await answer?.json(),
          });
        });
      },
    });
    await flow.signIn();
    const [value = ''] = flow.op.accessTokens.back;
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/all`))).toMatchObject({
      claims: { sub: 'ada', iss: flow.op.issuer },
      token: {
        value,
        tokenType: 'Bearer',
        expiresAt: Math.floor(flow.clock.now() / 1000) + 3600,
        scope: ['openid', 'profile', 'email'],
      },
      sent: { authorization: `Bearer ${value}`, 'x-own': 'kept' },
    });
    await api.close();
  });

  it('gives claims that one request cannot change for another', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/meddle', oidc.requireAuth(), (req, res) => {
          const claims = req.oidc?.claims as unknown as { sub: string; address: { city: string } };
          const changes = [() => (claims.sub = 'eve'), () => (claims.address.city = 'Eve')];
          const refused = changes.map((change) => {
            try {
              change();
              return false;
            } catch {
              return true;
            }
          });
          res.json(refused);
        });
      },
    });
    flow.op.claims = { address: { city: 'London' } };
    await flow.signIn();
    for (let round = 0; round < 2; round += 1) {
      expect(json(await flow.browser.fetch(`${flow.baseUrl}/meddle`))).toEqual([true, true]);
    }
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada', address: { city: 'London' } },
    });
  });

  it('does not take a record for another session', async () => {
    flow = await startFlow();
    await flow.signIn();
    const other = new Browser();
    await other.navigate(`${flow.baseUrl}/cart/tea`);
    const keys = await flow.storeKeys();
    const stolen = keys.find((key) => key.startsWith('oidc:')) ?? '';
    const own =
      keys.find((key) => !key.includes(stolen.slice(5)) && !key.startsWith('oidc:')) ?? '';
    const store = flow.store as MemoryStore & { sessions: Record<string, string> };
    store.sessions[`oidc:${own}`] = String(store.sessions[stolen]);
    const session = JSON.parse(String(store.sessions[own]));
    const mark = JSON.parse(String(store.sessions[stolen.slice(5)])).oidc;
    store.sessions[own] = JSON.stringify({ ...session, oidc: mark });
    expect(errorCode(await other.fetch(`${flow.baseUrl}/api/x`))).toBe('ERR_OIDC_LOGIN_REQUIRED');
  });
});

describe('a record that gets lost', () => {
  it('leaves a session that works, is not signed in, and goes to no other user', async () => {
    flow = await startFlow();
    await flow.signIn();
    const record = (await flow.storeKeys()).find((key) => key.startsWith('oidc:')) ?? '';
    await new Promise((resolve) => flow.store.destroy(record, resolve));
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toEqual({
      claims: null,
      cart: ['tea'],
    });
    expect(errorCode(await flow.browser.fetch(`${flow.baseUrl}/api/x`))).toBe(
      'ERR_OIDC_LOGIN_REQUIRED',
    );
    flow.op.subject = 'eve';
    expect(json(await flow.signIn())).toMatchObject({ sub: 'eve', cart: [] });
  });
});

describe('a set-up that is wrong says so', () => {
  it('no session', async () => {
    flow = await startFlow({
      before: (app) => {
        app.use((req, _res, next) => {
          Object.assign(req, { session: undefined, sessionStore: undefined });
          next();
        });
      },
    });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_MISSING']);
  });

  it('a Secure cookie on a request that is not', async () => {
    flow = await startFlow({ session: { cookie: { secure: true } } });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_COOKIE']);
  });

  it('a proxy that ends TLS, with trust proxy: all is well', async () => {
    flow = await startFlow({
      session: { cookie: { secure: true } },
      oidc: { baseUrl: 'https://app.example' },
      before: (app) => void app.set('trust proxy', 1),
    });
    const answer = await request(flow.baseUrl.replace('localhost', '127.0.0.1'))
      .get('/private')
      .set({ Accept: 'text/html', 'X-Forwarded-Proto': 'https', Host: 'evil.example' });
    expect(answer.status).toBe(303);
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Host-oidc\.[\w-]{6}\.tx\.[\w-]{16}=.*; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(answer.headers['location']).toContain(
      encodeURIComponent('https://app.example/callback'),
    );
    expect(answer.headers['location']).not.toContain('evil');
  });
});

describe('a store that fails', () => {
  class FailingStore extends MemoryStore {
    failing: string | undefined;
    override get = (sid: string, done: (error: unknown, found?: never) => void): void => {
      if (this.failing === 'get' && sid.startsWith('oidc:')) done(new Error('down'));
      else MemoryStore.prototype.get.call(this, sid, done as never);
    };
    override set = (sid: string, session: never, done?: (error?: unknown) => void): void => {
      if (this.failing === 'set' && sid.startsWith('oidc:')) done?.(new Error('down'));
      else MemoryStore.prototype.set.call(this, sid, session, done);
    };
  }

  it('is 503, and nobody is signed in by guesswork', async () => {
    const store = new FailingStore();
    flow = await startFlow({ store });
    store.failing = 'set';
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    store.failing = undefined;
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    store.failing = 'get';
    const refused = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    store.failing = undefined;
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    expect(flow.errors).toEqual([]);
  });

  it('while a refreshed token is written loses nothing: the token serves, and is written later', async () => {
    const store = new FailingStore();
    flow = await startFlow({ store });
    await flow.signIn();
    flow.clock.advance(4000);
    store.failing = 'set';
    for (let round = 0; round < 2; round += 1) {
      const answer = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
      expect(json(answer)).toMatchObject({
        authorization: `Bearer ${flow.op.accessTokens.back[1]}`,
      });
    }
    store.failing = undefined;
    await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    flow.clock.advance(4000);
    // The OP would revoke everything if the first refresh token came again.
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(2);
  });

  it('altogether, so that express-session passes it by, is 503', async () => {
    const store = new FailingStore();
    flow = await startFlow({ store });
    await flow.signIn();
    store.emit('disconnect');
    const refused = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    store.emit('connect');
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });
});
