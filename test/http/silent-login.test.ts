import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import request from 'supertest';
import type { Arrival } from '../support/browser.ts';
import { type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

/** An application with a page for everybody that knows who has a session at the OP. */
async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({
    ...setup,
    routes: (app, oidc) => {
      app.get('/news', oidc.optionalAuth({ silentLogin: true }), (req, res) => {
        res.json({ sub: req.oidc?.claims.sub ?? null, cart: req.session.basket ?? [] });
      });
    },
  });
}

const visit = (path = '/news'): Promise<Arrival> => flow.browser.navigate(`${flow.baseUrl}${path}`);
const mustAsk = { error: 'login_required', prompts: [] };
const asked = (): number => flow.op.count('/authorize');

const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;

describe.each(ways)('a silent login to "%s" by %s', (responseType, responseMode) => {
  const oidc = { responseType, responseMode };

  it.each(['lax', 'strict'] as const)(
    'signs in who has a session at the OP, session cookie %s',
    async (sameSite) => {
      await start({ oidc, session: { cookie: { sameSite } } });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const arrival = await visit('/news?page=2');
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/news?page=2` });
      expect(json(arrival)).toEqual({ sub: 'ada', cart: ['tea'] });
      expect(flow.op.lastRequest('/authorize').parameters['prompt']).toBe('none');
      expect(flow.op.count('/token')).toBe(1);
    },
  );

  it.each(['lax', 'strict'] as const)(
    'shows everybody else the page, and asks no more for an hour, session cookie %s',
    async (sameSite) => {
      await start({ oidc, session: { cookie: { sameSite } } });
      flow.op.lie({ mustAsk });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const codes = await publishedErrors('error', async () => {
        const arrival = await visit('/news?page=2');
        expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/news?page=2` });
        expect(json(arrival)).toEqual({ sub: null, cart: ['tea'] });
      });
      expect(codes).toEqual([]);
      await visit();
      expect(asked()).toBe(1);
      const names = await flow.browser.cookieNames(flow.baseUrl);
      expect(names.filter((name) => name.includes('.tx.'))).toEqual([]);
      const silent = names.find((name) => name.endsWith('.silent')) ?? '';
      const [cookie] = (await flow.browser.jar.getCookies(flow.baseUrl)).filter(
        ({ key }) => key === silent,
      );
      expect(cookie).toMatchObject({ maxAge: 3600, httpOnly: true, sameSite: 'lax' });
    },
  );

  it('shows the page to a browser that keeps no cookies, without going round and round', async () => {
    await start({ oidc });
    flow.op.lie({ mustAsk });
    flow.browser.refuses = () => true;
    const arrival = await visit('/news?page=2');
    expect(arrival).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/news?page=2&oidc_silent=no`,
    });
    expect(asked()).toBe(1);
    // Also where the OP has a session.
    flow.op.honest();
    expect(json(await visit())).toEqual({ sub: null, cart: [] });
    expect(asked()).toBe(2);
    expect(flow.op.count('/token')).toBe(0);
  });
});

describe('a silent login', () => {
  it.each(['interaction_required', 'consent_required', 'access_denied', 'server_error'])(
    'that the OP answers with %s is no failure of the page',
    async (error) => {
      await start();
      flow.op.lie({ mustAsk: { error, prompts: [] } });
      expect(json(await visit())).toEqual({ sub: null, cart: [] });
      expect(asked()).toBe(1);
    },
  );

  it('in which a check fails signs nobody in, and is told to whoever listens', async () => {
    await start();
    flow.op.lie({ backIdToken: { claims: { nonce: 'other' } } });
    const codes = await publishedErrors('refusal', async () => {
      expect(json(await visit())).toEqual({ sub: null, cart: [] });
    });
    expect(codes).toEqual(['ERR_OIDC_ID_TOKEN_NONCE']);
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('at an OP that is down is no failure of the page, nor of the next', async () => {
    await start();
    await flow.op.stop();
    const codes = await publishedErrors('refusal', async () => {
      for (const _page of [1, 2]) expect(json(await visit())).toEqual({ sub: null, cart: [] });
    });
    expect(codes).toEqual(['ERR_OIDC_PROVIDER_UNREACHABLE']);
    await flow.op.resume();
  });

  it('is tried again when the cookie of the last try has gone', async () => {
    await start();
    flow.op.lie({ mustAsk });
    await visit();
    flow.op.honest();
    await flow.browser.jar.removeAllCookies();
    expect(json(await visit())).toMatchObject({ sub: 'ada' });
  });

  it('does not undo a logout', async () => {
    await start();
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    expect(json(await visit())).toMatchObject({ sub: null });
    expect(asked()).toBe(1);
  });

  it('is not made for who is signed in, and sets nothing then', async () => {
    await start();
    await flow.signIn();
    const arrival = await visit();
    expect(json(arrival)).toMatchObject({ sub: 'ada' });
    expect([arrival.history.length, arrival.setCookies]).toEqual([1, []]);
  });

  it.each([
    ['fetch', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
    ['an image', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
    ['a frame', { 'Sec-Fetch-Dest': 'iframe' }],
    ['a prefetch', { 'Sec-Purpose': 'prefetch' }],
  ])('is not made for %s', async (_what, headers) => {
    await start();
    const from = flow.baseUrl;
    const hop = { method: 'GET', url: `${flow.baseUrl}/news`, from, headers } as const;
    const answer = await flow.browser.perform(hop);
    expect([answer.status, answer.setCookies]).toEqual([200, []]);
    // The same as a navigation would be.
    expect((await flow.browser.perform({ ...hop, headers: {} })).status).toBe(303);
  });

  it('is not made for a crawler, which sends no Fetch Metadata', async () => {
    await start();
    const answer = await request(flow.baseUrl).get('/news').set('Accept', 'text/html');
    expect([answer.status, answer.body]).toEqual([200, { sub: null, cart: [] }]);
  });

  it('leaves other logins their second try', async () => {
    await start();
    // A silent login that is still at the OP.
    await flow.browser.navigate(`${flow.baseUrl}/news`, ({ url }) =>
      url.startsWith(flow.op.issuer),
    );
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/callback?code=a&state=b`);
    expect(json(arrival)).toMatchObject({ claims: { sub: 'ada' } });
  });

  it('goes by POST where that is the way', async () => {
    await start({ oidc: { authorizationRequestMethod: 'post' } });
    expect(json(await visit())).toMatchObject({ sub: 'ada' });
    expect(flow.op.lastRequest('/authorize')).toMatchObject({ method: 'POST' });
  });

  it.each(['lax', 'strict'] as const)(
    'works beside Passport, session cookie %s',
    async (sameSite) => {
      await start({
        session: { cookie: { sameSite } },
        before: (app) => void app.use(passport.initialize(), passport.session()),
        router: (app, oidc) => {
          passport.serializeUser((user, done) => done(null, user));
          passport.deserializeUser((user: Express.User, done) => done(null, user));
          passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
          app.get('/login', passport.authenticate('oidc'));
          app.post('/callback', passport.authenticate('oidc'));
          app.get('/callback', passport.authenticate('oidc', { successReturnToOrRedirect: '/' }));
        },
      });
      flow.op.lie({ mustAsk });
      expect(await visit()).toMatchObject({ status: 200, url: `${flow.baseUrl}/news` });
      await flow.browser.jar.removeAllCookies();
      flow.op.lie({ mustAsk: undefined });
      const arrival = await visit();
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/news` });
      expect(json(arrival)).toMatchObject({ sub: 'ada' });
    },
  );
});

describe('a flow without silent logins', () => {
  it('sets no cookie for them', async () => {
    flow = await startFlow();
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    expect(await flow.browser.cookieNames(flow.baseUrl)).toEqual(['connect.sid']);
    expect(await flow.browser.navigate(flow.baseUrl)).toMatchObject({
      status: 200,
      setCookies: [],
    });
    expect(asked()).toBe(1);
  });
});
