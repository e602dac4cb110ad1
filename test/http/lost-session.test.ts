import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { createProxyMiddleware } from 'http-proxy-middleware';
import passport from 'passport';
import { SessionLostError, subscribe } from 'passport-oidc-hybrid';
import type { Arrival, Hop } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';
import { listen } from '../support/listen.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Two logins never happen in the same moment. */
async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({ clock: startTickingClock(), ...setup });
}

const isSessionCookie = (cookie: string): boolean => cookie.startsWith('connect.sid=');
const isCheck = ({ url }: { url: string }): boolean => url.includes('oidc_session_check=');
const checks = ({ history }: Arrival): number => history.filter(isCheck).length;

/** In parts: a browser gives up after 20 redirects, and these are more. */
async function goTo(url: string, secondsForEach = 0): Promise<Arrival> {
  let next: string | Hop | undefined = url;
  let arrival: Arrival | undefined;
  while (next !== undefined) {
    let left = 15;
    arrival = await flow.browser.navigate(next, () => {
      flow.clock.advance(secondsForEach);
      left -= 1;
      return left === 0;
    });
    next = arrival.next;
    expect(flow.op.count('/authorize')).toBeLessThan(20);
  }
  return arrival as Arrival;
}

const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;
const rows = ways.flatMap((way) => (['lax', 'strict'] as const).map((site) => [...way, site]));

describe('a browser that keeps the cookie of the login and not that of the session', () => {
  it.each(rows)(
    '"%s" by %s, session cookie %s: one more login by itself, then a page that says why',
    async (responseType, responseMode, sameSite) => {
      await start({
        oidc: { responseType, responseMode } as FlowSetup['oidc'] & object,
        session: { cookie: { sameSite: sameSite as 'lax' | 'strict' } },
      });
      flow.browser.refuses = isSessionCookie;
      const arrival = await flow.signIn(flow.browser, '/private?page=2');
      expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_LOST']);
      expect(flow.op.count('/authorize')).toBe(2);
      expect(flow.op.count('/token')).toBe(2);
      expect(arrival.text).toContain('session cookie <code>connect.sid</code>');
      expect(arrival.text).toContain('the browser did not send it back');
      expect(arrival.text).toContain('tell the people who run this application');
      // The ways on: the login, and the start page.
      const again = `/login?return_to=${encodeURIComponent('/private?page=2')}`;
      expect(arrival.text).toContain(`<a class="main" href="${again}">Sign in again</a>`);
      expect(arrival.text).toContain('<a href="/">Go to the start page</a>');
      // With the cookie kept, the same way ends signed in.
      flow.browser.refuses = () => false;
      expect(await flow.signIn()).toMatchObject({ status: 200 });
    },
  );

  it('is told by events, and what they hold names the cookie', async () => {
    await start();
    flow.browser.refuses = isSessionCookie;
    const errors: unknown[] = [];
    const end = subscribe('error', ({ error }) => errors.push(error));
    const refusals = await publishedErrors('refusal', () => flow.signIn());
    end();
    expect(refusals).toEqual(['ERR_OIDC_SESSION_LOST']);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(SessionLostError);
    expect(errors[0]).toMatchObject({ status: 500, option: 'session', cookie: 'connect.sid' });
  });

  it('gets the error from Passport, too', async () => {
    await start({
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
    flow.browser.refuses = isSessionCookie;
    expect(await flow.signIn()).toMatchObject({ status: 500 });
    expect(flow.errors).toMatchObject([{ code: 'ERR_OIDC_SESSION_LOST' }]);
    expect(flow.op.count('/authorize')).toBe(2);
    flow.browser.refuses = () => false;
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('or has an older one of the same name in front of it, is told so', async () => {
    await start();
    const older = 'connect.sid=s%3Aold.signature; Path=/callback';
    await flow.browser.jar.setCookie(older, `${flow.baseUrl}/callback`);
    // At the callback alone: the page has the new one, and nothing begins again.
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    await flow.browser.jar.removeAllCookies();
    for (const path of ['/callback', '/private']) {
      const cookie = `connect.sid=s%3Aold.signature; Path=${path}`;
      await flow.browser.jar.setCookie(cookie, `${flow.baseUrl}${path}`);
    }
    const arrival = await flow.signIn();
    expect(errorCode(arrival)).toBe('ERR_OIDC_SESSION_LOST');
    expect(arrival.text).toContain('an older cookie of that name');
  });
});

describe('two processes that share no sessions, and requests that come to each in turn', () => {
  it.each<[string, { secret?: string }]>([
    ['MemoryStore', {}],
    [
      'different secrets of their sessions',
      { secret: 'another secret, which signs other cookies' },
    ],
  ])('(%s) end in a page that says so, after one more login', async (_what, session) => {
    const store = new MemoryStore();
    const shared = session.secret === undefined ? {} : { store };
    let count = 0;
    const front = await listen((req, res) => {
      count += 1;
      pass[count % 2]?.(req, res, () => undefined);
    });
    const oidc = { baseUrl: `http://localhost:${front.port}` };
    await start({ oidc, ...shared });
    const other = await startFlow({ clock: flow.clock, op: flow.op, oidc, session, ...shared });
    const pass = [flow, other].map(({ listensAt }) => createProxyMiddleware({ target: listensAt }));
    const arrival = await goTo(`${oidc.baseUrl}/private`);
    expect([arrival.status, errorCode(arrival)]).toEqual([500, 'ERR_OIDC_SESSION_LOST']);
    expect(flow.op.count('/authorize')).toBe(2);
    expect(arrival.text).toContain('session cookie <code>connect.sid</code>');
    expect(arrival.text).toContain('it came back, and the store has no such session');
    await front.close();
    await other.close();
  });
});

describe('a login after another', () => {
  it('is checked in vain where the session had truly ended', async () => {
    await start({ oidc: { backchannelLogout: true } });
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
      url.endsWith('/private'),
    );
    if (next === undefined) throw new Error('no landing');
    // By the OP, before the browser has got to the page.
    expect(await flow.oidc.endSessions({ sub: 'ada' })).toBe(1);
    flow.clock.advance(1);
    const arrival = await flow.browser.navigate(next);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    expect([flow.op.count('/authorize'), checks(arrival)]).toEqual([2, 3]);
  });

  it('is not checked after a logout', async () => {
    await start();
    for (let round = 0; round < 7; round += 1) {
      const arrival = await flow.signIn();
      expect([arrival.status, checks(arrival)]).toEqual([200, 0]);
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
    }
  });

  it('is checked in vain after a logout that the application made by itself', async () => {
    await start({
      routes: (app) => {
        app.get('/bye', (req, res) => req.session.destroy(() => res.json({})));
      },
    });
    for (let round = 0; round < 4; round += 1) {
      const arrival = await flow.signIn();
      // A page that was signed in is the end of it.
      expect([arrival.status, checks(arrival)]).toEqual([200, round % 2 === 0 ? 0 : 3]);
      await flow.browser.navigate(`${flow.baseUrl}/bye`);
    }
  });

  it('is not checked in a tab that was open before, nor with the session of the first', async () => {
    await start();
    const tabs = [];
    for (const tab of [0, 1, 2]) {
      const { next } = await flow.browser.navigate(
        `${flow.baseUrl}/private?tab=${tab}`,
        ({ method }) => method === 'POST',
      );
      if (next !== undefined) tabs.push(next);
      flow.clock.advance(1);
    }
    for (const tab of tabs) {
      const arrival = await flow.browser.navigate(tab);
      expect([arrival.status, checks(arrival)]).toEqual([200, 0]);
      flow.clock.advance(1);
    }
    const again = await flow.browser.navigate(`${flow.baseUrl}/login?return_to=/private`);
    expect([again.status, checks(again), flow.op.count('/authorize')]).toEqual([200, 0, 4]);
  });

  it('costs pages no cookie: what remembers a sign-in goes to the callback only', async () => {
    await start();
    const arrival = await flow.signIn();
    expect(arrival.setCookies).toEqual([]);
    expect(await flow.browser.cookieNames(`${flow.baseUrl}/private`)).toEqual(['connect.sid']);
    const [last] = (await flow.browser.jar.getCookies(`${flow.baseUrl}/callback`)).filter(
      ({ key }) => key !== 'connect.sid',
    );
    expect(last).toMatchObject({ path: '/callback', httpOnly: true, sameSite: 'lax' });
    expect(last?.key).toMatch(/^oidc\.[\w-]{6}\.last$/);
    expect(String(last?.value).length).toBeLessThan(110);
    // And no session id in clear.
    const sid = (await flow.storeKeys()).find((key) => !key.includes(':')) ?? '';
    expect(last?.value).not.toContain(sid);
  });
});

describe('a check', () => {
  const oneOf = async (): Promise<string> => {
    await start();
    flow.browser.refuses = isSessionCookie;
    const { history } = await flow.signIn();
    flow.browser.refuses = () => false;
    return history.find(isCheck)?.url ?? '';
  };

  it.each([
    ['that was changed', (url: string) => `${url}x`, 0],
    ['of long ago', (url: string) => url, 61],
  ])('%s leads to the start page who is signed in, and is refused to others', async (...row) => {
    const [, change, seconds] = row;
    const url = change(await oneOf());
    flow.clock.advance(seconds);
    const refused = await flow.browser.navigate(url);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
    await flow.signIn();
    const arrival = await flow.browser.navigate(url);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(json(arrival)).toMatchObject({ claims: { sub: 'ada' } });
  });

  it('spends nothing and signs nobody in', async () => {
    const url = await oneOf();
    const before = flow.op.count('/token');
    expect(errorCode(await flow.browser.navigate(url))).toBe('ERR_OIDC_SESSION_LOST');
    expect(flow.op.count('/token')).toBe(before);
    expect(json(await flow.browser.navigate(`${flow.baseUrl}/`))).toMatchObject({ claims: null });
  });
});
