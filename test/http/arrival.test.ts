import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import { type Arrival, Browser, type Visit } from '../support/browser.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const mail = 'https://mail.example';
const strict = { cookie: { sameSite: 'strict' } } as const;

async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({ session: strict, ...setup });
}

/** A link on another site. */
function follow(path: string, headers = {}, browser = flow.browser): Promise<Arrival> {
  const url = `${flow.baseUrl}${path}`;
  return browser.navigate({ method: 'GET', url, from: mail, headers });
}

const isStep = ({ text }: Visit): boolean => text.includes('oidc_arrival=');
const steps = ({ history }: Arrival): number => history.filter(isStep).length;
const firstStep = ({ history }: Arrival): Visit => history.find(isStep) as Visit;
const asked = (): number => flow.op.count('/authorize');

describe('a link of another site to a guarded page, session cookie Strict', () => {
  it.each([
    ['', {}],
    [', whom the application knows by a session before it has one', { saveUninitialized: true }],
  ])('keeps the cart of a visitor%s', async (_whom, session) => {
    await start({ session: { ...strict, ...session } });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await follow('/private?page=2');
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
    expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
    expect([steps(arrival), asked()]).toEqual([1, 1]);
    expect(firstStep(arrival).setCookies).toEqual([]);
  });

  it('shows the page at once to who is signed in', async () => {
    await start();
    await flow.signIn();
    for (const path of ['/private?page=2', '/private', '/private?a=b%20c&oidc_arrived=no']) {
      const arrival = await follow(path);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}${path}` });
      expect(arrival.history.map(({ status }) => status)).toEqual([200, 303, 200]);
    }
    expect(asked()).toBe(1);
  });

  it('costs a new visitor one step, and not another', async () => {
    await start();
    const arrival = await follow('/private?page=2');
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
    expect([steps(arrival), asked()]).toEqual([1, 1]);
  });

  it('leads below the path of baseUrl, too', async () => {
    await start({ path: '/shop' });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await follow('/private?page=2');
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
    expect(json(arrival)).toMatchObject({ cart: ['tea'] });
  });

  it('comes to an end in a browser that says the same of every request and keeps no cookies', async () => {
    await start();
    flow.browser.fetchMetadata = 'always cross-site';
    flow.browser.refuses = () => true;
    const { history } = await flow.browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
      url.startsWith(flow.op.issuer),
    );
    expect(history.map(({ status }) => status)).toEqual([200, 303, 303]);
  });

  it('asks the OP for what the page wants, as without that step', async () => {
    await start({
      oidc: {
        authorizationParams: (req) => ({ ui_locales: String(req.query['lang']) }),
      },
      routes: (app, oidc) => {
        app.get('/vault', oidc.requireAuth({ login: { acrValues: 'hwk' } }), (req, res) => {
          res.json({ acr: req.oidc?.claims['acr'] });
        });
      },
    });
    const arrival = await follow('/vault?lang=de');
    expect([json(arrival), steps(arrival)]).toEqual([{ acr: 'hwk' }, 1]);
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      acr_values: 'hwk',
      ui_locales: 'de',
    });
  });

  it('passes by a page that works without scripts, under a policy of its own, and hides where it leads', async () => {
    await start();
    const page = firstStep(await follow('/private?page=2'));
    expect(page.text).not.toContain('<script');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; /);
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(page.next?.url).toMatch(/\/callback\?oidc_arrival=[\w-]+$/);
    expect(page.text).not.toContain('private');
    expect(page.text).toContain(`<a href="/callback?oidc_arrival=`);
    // Nor does it tell of cookies that came.
    await flow.browser.jar.setCookie('theme=dark', flow.baseUrl);
    const { next } = firstStep(await follow('/private?page=2'));
    expect(next?.url.length).toBe(page.next?.url.length);
  });
});

describe('what no step is for', () => {
  it.each([
    ['a session cookie that is Lax', { session: { cookie: { sameSite: 'lax' } } }, mail],
    ['a page of the same site', {}, 'http://localhost:1'],
    ['an address that was typed', {}, undefined],
  ] as const)('%s: the login begins at once', async (_what, setup, from) => {
    await start(setup);
    const url = `${flow.baseUrl}/private`;
    const arrival = await flow.browser.navigate({ method: 'GET', url, from });
    expect([arrival.status, steps(arrival)]).toEqual([200, 0]);
    expect(arrival.history[0]).toMatchObject({ status: 303 });
  });

  it.each([
    ['fetch', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }],
    ['a frame', { 'Sec-Fetch-Dest': 'iframe' }],
    ['a prefetch', { 'Sec-Purpose': 'prefetch' }],
  ])('%s gets a 401', async (_what, headers) => {
    await start();
    for (const path of ['/private', '/api/x']) {
      const arrival = await follow(path, headers);
      expect([arrival.status, steps(arrival)]).toEqual([401, 0]);
    }
    expect(await follow('/private')).toMatchObject({ status: 200 });
  });

  it('a guard that is told to send everybody to the OP sends no fetch here', async () => {
    await start({
      routes: (app, oidc) => {
        const guard = oidc.requireAuth({ onUnauthenticated: 'login' });
        app.get('/always', guard, (_req, res) => void res.json({}));
      },
    });
    const headers = { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' };
    const url = `${flow.baseUrl}/always`;
    const visit = await flow.browser.perform({ method: 'GET', url, from: mail, headers });
    expect(visit).toMatchObject({ status: 303 });
    expect(await follow('/always')).toMatchObject({ status: 200 });
  });

  it('a form that another site sends is refused, or gets a login where that site is trusted', async () => {
    await start();
    const send = (): Promise<Visit> =>
      flow.browser.perform({
        method: 'POST',
        url: `${flow.baseUrl}/api/x`,
        from: mail,
        body: 'a=b',
      });
    expect(errorCode(await send())).toBe('ERR_OIDC_CROSS_SITE_REQUEST');
    await flow.close();
    await start({ oidc: { trustedOrigins: [mail] } });
    const visit = await send();
    expect([isStep(visit), visit.next?.url]).toEqual([
      false,
      expect.stringContaining(`${flow.op.issuer}/authorize`),
    ]);
  });

  it('a session that has come along all the same', async () => {
    await start();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    flow.browser.fetchMetadata = 'always cross-site';
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/private`);
    expect([json(arrival)['cart'], steps(arrival)]).toEqual([['tea'], 0]);
  });

  it.each([
    ['names a page of another site', `${mail}/inbox`, 1],
    ['names an origin that begins like this one', 'ours, with one digit more', 1],
    ['names a page of this one', 'ours', 0],
    ['names nobody', undefined, 0],
  ])('without Fetch Metadata a Referer that %s decides', async (_what, referer, expected) => {
    await start();
    flow.browser.fetchMetadata = 'none';
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const sent = referer
      ?.replace('ours, with one digit more', `${flow.baseUrl}1/page`)
      .replace('ours', `${flow.baseUrl}/page`);
    const headers = sent === undefined ? {} : { Referer: sent };
    const arrival = await follow('/private', headers);
    expect([arrival.status, steps(arrival), asked()]).toEqual([200, expected, 1]);
    expect(json(arrival)).toMatchObject({ cart: expected === 1 ? ['tea'] : [] });
  });
});

describe('the login that such a link begins', () => {
  it('at the login route keeps the cart', async () => {
    await start();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await follow('/login?return_to=%2Fprivate%3Fpage%3D2');
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
    expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
    expect([steps(arrival), asked()]).toEqual([1, 1]);
  });

  it('at a login route of the application, too', async () => {
    await start({
      routes: (app, oidc) => void app.get('/sign-up', oidc.login({ prompt: 'create' })),
    });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await follow('/sign-up?return_to=/private');
    expect(json(arrival)).toMatchObject({ cart: ['tea'] });
    expect(flow.op.lastRequest('/authorize').parameters['prompt']).toBe('create');
  });

  it.each([
    ['shows the page at once to who is signed in', '/private'],
    ['keeps the cart of everybody else', '/'],
  ])('silently %s', async (_what, before) => {
    await start({
      routes: (app, oidc) => {
        app.get('/news', oidc.optionalAuth({ silentLogin: true }), (req, res) => {
          res.json({ sub: req.oidc?.claims.sub, cart: req.session.basket });
        });
      },
    });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.browser.navigate(`${flow.baseUrl}${before}`);
    const arrival = await follow('/news?page=2');
    expect(arrival.url).toBe(`${flow.baseUrl}/news?page=2`);
    expect(json(arrival)).toEqual({ sub: 'ada', cart: ['tea'] });
    expect([steps(arrival), asked()]).toEqual([1, 1]);
  });

  it('by Passport keeps the cart', async () => {
    await start({
      before: (app) => void app.use(passport.initialize(), passport.session()),
      router: (app, oidc) => {
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user: Express.User, done) => done(null, user));
        passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
        app.get('/sign-in', passport.authenticate('oidc'));
        app.post('/callback', passport.authenticate('oidc'));
        app.get('/callback', passport.authenticate('oidc', { successReturnToOrRedirect: '/' }));
      },
    });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await follow('/sign-in?return_to=/private');
    expect([json(arrival)['cart'], steps(arrival), asked()]).toEqual([['tea'], 1, 1]);
    await flow.browser.navigate(`${flow.baseUrl}/cart/cake`);
    expect(json(await follow('/private'))).toMatchObject({ sub: 'ada', cart: ['tea', 'cake'] });
    expect(asked()).toBe(1);
  });
});

describe('the URL of the step', () => {
  it('leads to the start page where it was changed, or was made by another secret', async () => {
    await start();
    const url = firstStep(await follow('/private')).next?.url ?? '';
    const other = await startFlow({
      session: strict,
      oidc: { secret: 'another secret, long enough to seal' },
    });
    const { origin } = new URL(flow.baseUrl);
    const from = `${new URL(other.baseUrl).origin}`;
    const foreign = url.replace(origin, from);
    for (const [at, bad] of [
      [flow, url.slice(0, -8)],
      [flow, url.replace(/=.*/, '=https://evil.example/')],
      [flow, url.replace(/=.*/, '=%2Fprivate')],
      [other, foreign],
    ] as const) {
      const { history } = await new Browser().navigate(bad);
      expect(history[1]?.url).toBe(`${at.baseUrl}/`);
    }
    expect((await new Browser().navigate(url)).history[1]?.url).toContain('/private');
    await other.close();
  });

  it('leads to no other host, however the page was asked for', async () => {
    await start({
      routes: (app, oidc) => void app.use(oidc.requireAuth(), (_req, res) => void res.json({})),
    });
    for (const path of ['//evil.example/x', '/\\evil.example', '/.//evil.example', '/fine']) {
      const { history } = await follow(path, {}, new Browser());
      const hosts = history.map(({ url }) => new URL(url).host);
      expect(new Set(hosts)).toEqual(
        new Set([new URL(flow.baseUrl).host, new URL(flow.op.issuer).host]),
      );
    }
  });
});
