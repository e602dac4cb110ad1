import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

const responseTypes = ['code', 'code id_token', 'code token', 'code id_token token'] as const;
const form = 'application/x-www-form-urlencoded';

function post(body: string | Buffer, contentType = form): request.Test {
  return request(flow.baseUrl)
    .post('/callback')
    .set('Content-Type', contentType)
    .set('Accept', 'text/html')
    .send(body);
}

describe('a login', () => {
  it.each(responseTypes)(
    'by "%s" and form_post ends signed in, on the page asked for',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType, responseMode: 'form_post' } });
      const arrival = await flow.signIn(flow.browser, '/private?page=2');
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
      const [accessToken] = flow.op.accessTokens.back;
      expect(json(arrival)).toMatchObject({ sub: 'ada', authorization: `Bearer ${accessToken}` });
      expect(flow.errors).toEqual([]);
    },
  );

  it('sets one session cookie, no SameSite=None, and nothing at all on the next request', async () => {
    flow = await startFlow();
    const arrival = await flow.signIn();
    const cookies = arrival.history.flatMap(({ setCookies }) => setCookies);
    expect(cookies.length).toBeGreaterThan(2);
    for (const cookie of cookies) expect(cookie).toMatch(/; SameSite=Lax/);
    expect(await flow.browser.cookieNames(flow.baseUrl)).toEqual(['connect.sid']);
    const next = await flow.browser.navigate(`${flow.baseUrl}/private`);
    expect(next.setCookies).toEqual([]);
  });

  it('reads no cookie on the cross-site POST, and leaves no trace in its answers', async () => {
    flow = await startFlow();
    const arrival = await flow.signIn();
    const hops = arrival.history.filter(({ url }) => url.includes('/callback'));
    expect(
      hops.map(({ method, status, sentCookies }) => [method, status, sentCookies === '']),
    ).toEqual([
      ['POST', 303, true],
      ['GET', 303, false],
    ]);
    expect(hops[0]?.setCookies).toEqual([]);
    for (const { headers } of hops) {
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it('works below a path, with or without it in what the router sees', async () => {
    flow = await startFlow({ path: '/shop' });
    const arrival = await flow.signIn();
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    expect(flow.op.lastRequest('/token').parameters['redirect_uri']).toBe(
      `${flow.baseUrl}/callback`,
    );
  });

  it('works with other paths', async () => {
    flow = await startFlow({
      oidc: {
        loginPath: '/auth/in',
        callbackPath: '/auth/back',
        logoutPath: '/auth/out',
        postLogoutPath: '/auth/gone',
      },
    });
    expect(await flow.browser.navigate(`${flow.baseUrl}/auth/in?return_to=/private`)).toMatchObject(
      {
        status: 200,
        url: `${flow.baseUrl}/private`,
      },
    );
    expect(await flow.browser.navigate(`${flow.baseUrl}/auth/out`)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/`,
    });
  });

  it('goes back to a path with a query of its own, encoded or not', async () => {
    flow = await startFlow();
    for (const wanted of ['/private?page=2', encodeURIComponent('/private?page=2&x=y')]) {
      const arrival = await flow.browser.navigate(`${flow.baseUrl}/login?return_to=${wanted}`);
      expect(arrival.url).toBe(`${flow.baseUrl}${decodeURIComponent(wanted)}`);
    }
  });

  it('begins and ends with a changed secret, as long as the old one still opens', async () => {
    const old = 'an old secret, which sealed before the new one came';
    const fresh = 'a new secret, which seals from now on, after the old';
    flow = await startFlow({ oidc: { secret: old } });
    await flow.signIn();
    const later = await startFlow({
      op: flow.op,
      store: flow.store,
      oidc: { secret: [fresh, old] },
    });
    const browser = new Browser();
    browser.jar.setCookieSync(
      String(flow.browser.jar.getCookiesSync(flow.baseUrl)[0]),
      later.baseUrl,
    );
    expect(await browser.fetch(`${later.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    await later.close();
  });
});

describe("the visitor's session", () => {
  it.each(['lax', 'strict'] as const)(
    'is carried over with a %s cookie, under a new id',
    async (sameSite) => {
      flow = await startFlow({ session: { cookie: { sameSite } } });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const [before = ''] = await flow.storeKeys();
      const arrival = await flow.signIn();
      expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
      const keys = await flow.storeKeys();
      expect(keys).toHaveLength(2);
      expect(keys).not.toContain(before);
    },
  );

  it('is left as it was by a login that fails', async () => {
    flow = await startFlow();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const before = await flow.storeKeys();
    flow.op.lie({ frontIdToken: { claims: { nonce: 'other' } } });
    await flow.signIn();
    expect(await flow.storeKeys()).toEqual(before);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toEqual({
      claims: null,
      cart: ['tea'],
    });
  });

  it('is left alone by the first hop, with saveUninitialized and rolling too', async () => {
    flow = await startFlow({ session: { saveUninitialized: true, rolling: true } });
    const keys = await flow.storeKeys();
    const answer = await post('code=a&state=b&iss=c');
    expect(answer.status).toBe(303);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await flow.storeKeys()).toEqual(keys);
  });

  it("is kept by the same user's next login, and by nobody else's", async () => {
    flow = await startFlow();
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({ cart: ['tea'] });
    flow.op.subject = 'eve';
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(json(arrival)).toMatchObject({ claims: { sub: 'eve' }, cart: [] });
    expect(await flow.storeKeys()).toHaveLength(2);
  });

  it('is not handed to the next user after a grant has died', async () => {
    flow = await startFlow();
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    flow.clock.advance(4000);
    flow.op.revokeAll();
    flow.op.subject = 'eve';
    expect(json(await flow.signIn())).toMatchObject({ sub: 'eve', cart: [] });
  });

  it('after a login with a Strict cookie is there on the landing page already', async () => {
    flow = await startFlow({ session: { cookie: { sameSite: 'strict' } } });
    const arrival = await flow.signIn();
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    expect(arrival.history.at(-2)?.text).toContain('http-equiv="refresh"');
  });
});

describe('whatever happens around the callback', () => {
  it('does not end the process when somebody else has answered meanwhile', async () => {
    const gate = createGate();
    flow = await startFlow({
      before: (app) => {
        app.use('/callback', (_req, res, next) => {
          // As a middleware does that limits the time of an answer.
          void gate.wait().then(() => res.status(503).send('too slow'));
          next();
        });
      },
      oidc: { responseType: 'code', responseMode: 'form_post' },
    });
    const held = flow.op.hold('/.well-known/openid-configuration');
    const arriving = post('code=a&state=b&iss=c&id_token=a.b.c');
    const answering = arriving.then((answer) => answer.status);
    await held.arrived;
    gate.open();
    expect(await answering).toBe(503);
    held.release();
    expect(await flow.signIn()).toMatchObject({ status: 503 });
  });

  it('keeps the body out of errors', async () => {
    const seen: unknown[] = [];
    flow = await startFlow({
      oidc: {
        onError: ({ error, res }) => {
          seen.push(error);
          res.status(400).end();
        },
      },
    });
    await post(`id_token=very-secret&${'a&'.repeat(200)}`);
    expect(seen).toHaveLength(1);
    expect(inspect(seen, { depth: 20, showHidden: true })).not.toContain('very-secret');
  });

  it.each(['HEAD', 'prefetch'])('spends no code on a %s', async (kind) => {
    flow = await startFlow();
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
      url.includes('oidc_response'),
    );
    const cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
    const path = (next?.url ?? '').slice(flow.baseUrl.length);
    const method = kind === 'HEAD' ? 'head' : 'get';
    const headers = { Cookie: cookie, ...(kind === 'HEAD' ? {} : { 'Sec-Purpose': 'prefetch' }) };
    expect((await request(flow.baseUrl)[method](path).set(headers)).status).toBe(403);
    expect(flow.op.count('/token')).toBe(0);
  });
});

describe('whoever listens', () => {
  it('is told of a refusal by the first hop, and by the second', async () => {
    flow = await startFlow();
    const codes = await publishedErrors('refusal', async () => {
      await post('code=a', 'text/plain');
      await flow.browser.navigate(`${flow.baseUrl}/callback?error=x`);
    });
    expect(codes).toEqual(['ERR_OIDC_CALLBACK_MEDIA_TYPE', 'ERR_OIDC_OP_ERROR']);
  });

  it('is told of every failure, before it is answered', async () => {
    flow = await startFlow();
    const codes = await publishedErrors('error', async () => {
      await post('code=a', 'text/plain');
      await flow.browser.navigate(`${flow.baseUrl}/callback?state=b`);
      await flow.op.stop();
      await flow.signIn();
    });
    await post('code=a', 'text/plain');
    expect(codes).toEqual([
      'ERR_OIDC_CALLBACK_MEDIA_TYPE',
      'ERR_OIDC_TRANSACTION_UNKNOWN',
      'ERR_OIDC_PROVIDER_UNREACHABLE',
    ]);
  });
});

describe('an onError that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no template');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no template'))],
  ])('(%s) reaches the application, and ends nothing', async (_how, onError) => {
    flow = await startFlow({ oidc: { onError } });
    expect((await post('code=a', 'text/plain')).status).toBe(500);
    expect((await request(flow.baseUrl).get('/login')).status).toBe(500);
    expect((await request(flow.baseUrl).get('/callback?code=a&state=b')).status).toBe(500);
    expect(flow.errors.map(String)).toEqual(Array(3).fill('Error: no template'));
  });
});

describe('a body parser in front', () => {
  it.each([
    ['urlencoded', express.urlencoded({ extended: false })],
    ['urlencoded, extended', express.urlencoded({ extended: true })],
    ['json', express.json()],
  ])('(%s) does no harm', async (_name, parser) => {
    flow = await startFlow({ before: (app) => void app.use(parser) });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it.each<[string, RequestHandler]>([
    ['text', express.text({ type: form })],
    ['bytes', express.raw({ type: form })],
    ['nothing', (req, _res, next) => void req.resume().on('end', next)],
    [
      'null',
      (req, _res, next) => {
        req.body = null;
        req.resume().on('end', next);
      },
    ],
  ])('that leaves %s, and no parameters, is named', async (_what, reader) => {
    flow = await startFlow({ before: (app) => void app.use(reader) });
    const answer = await post('code=a&state=b');
    expect([answer.status, errorCode(answer)]).toEqual([400, 'ERR_OIDC_CALLBACK_BODY_UNREADABLE']);
  });

  it('of a platform, which hands the parameters over and the stream unread, is believed', async () => {
    flow = await startFlow({
      before: (app) =>
        app.use((req, _res, next) => {
          req.body = { error: 'access_denied' };
          next();
        }),
    });
    expect(errorCode(await post('code=a&state=b'))).toBe('ERR_OIDC_ACCESS_DENIED');
  });
});

describe('verify', () => {
  it('refuses a login: 403, and no session', async () => {
    flow = await startFlow({ oidc: { verify: ({ claims }) => claims.sub !== 'ada' } });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([403, 'ERR_OIDC_LOGIN_REFUSED']);
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('gets claims, the code-exchanged access token, scope and the request', async () => {
    const seen: unknown[] = [];
    flow = await startFlow({
      oidc: {
        verify: ({ claims, accessToken, scope, req }) => {
          seen.push(claims.sub, accessToken, scope, req.path);
          return { id: 1 };
        },
      },
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(seen).toEqual([
      'ada',
      flow.op.accessTokens.back[0],
      ['openid', 'profile', 'email'],
      '/callback',
    ]);
  });

  it('that throws reaches the application with its own error, and nobody is signed in', async () => {
    const failure = new Error('the database is down');
    flow = await startFlow({ oidc: { verify: () => Promise.reject(failure) } });
    await flow.signIn();
    expect(flow.errors).toEqual([failure]);
    expect(await flow.storeKeys()).toEqual([]);
  });
});
