import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import type { Arrival } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Two logins never happen in the same moment. */
async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({ clock: startTickingClock(), ...setup });
}

const checks = ({ history }: Arrival): number =>
  history.filter(({ url }) => url.includes('oidc_session_check=')).length;

describe('a silent login after a login that has ended', () => {
  const silent: FlowSetup = {
    oidc: { backchannelLogout: true },
    routes: (app, oidc) => {
      app.get('/news', oidc.optionalAuth({ silentLogin: true }), (req, res) => {
        res.json({ sub: req.oidc?.claims.sub ?? null });
      });
    },
  };

  it.each(['lax', 'strict'] as const)(
    'shows the page where the OP has no session any more, session cookie %s',
    async (sameSite) => {
      await start({ ...silent, session: { cookie: { sameSite } } });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      expect(await flow.oidc.endSessions({ sub: 'ada' })).toBe(1);
      flow.clock.advance(1);
      flow.op.lie({ mustAsk: { error: 'login_required', prompts: [] } });
      const arrival = await flow.browser.navigate(`${flow.baseUrl}/news`);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/news` });
      expect([json(arrival), checks(arrival)]).toEqual([{ sub: null }, 0]);
      expect(flow.op.count('/authorize')).toBe(2);
    },
  );

  it('is checked where it signs in', async () => {
    await start(silent);
    await flow.signIn();
    await flow.oidc.endSessions({ sub: 'ada' });
    flow.clock.advance(1);
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/news`);
    expect([json(arrival), checks(arrival)]).toEqual([{ sub: 'ada' }, 3]);
  });
});

describe('an application that ends a login by itself, in its own callback', () => {
  it('sends the visitor where it likes, the second time too', async () => {
    let isWelcome = false;
    await start({
      before: (app) => void app.use(passport.initialize(), passport.session()),
      router: (app, oidc) => {
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user: Express.User, done) => done(null, user));
        passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
        app.get('/login', passport.authenticate('oidc'));
        app.post('/callback', passport.authenticate('oidc'));
        app.get('/callback', passport.authenticate('oidc'), (req, res, next) => {
          if (isWelcome) res.redirect('/welcome');
          else req.logout((error) => (error ? next(error) : res.redirect('/no-access')));
        });
        app.get(['/no-access', '/welcome'], (_req, res) => void res.json({}));
      },
    });
    for (const _try of [1, 2, 3]) {
      const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`);
      expect([arrival.status, arrival.url]).toEqual([200, `${flow.baseUrl}/no-access`]);
      flow.clock.advance(1);
    }
    isWelcome = true;
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect([arrival.url, checks(arrival)]).toEqual([`${flow.baseUrl}/welcome`, 3]);
  });
});

describe('links of another site, opened one soon after the other', () => {
  it.each(['lax', 'strict'] as const)(
    'all lead to their pages without checks, session cookie %s',
    async (sameSite) => {
      await start({ session: { cookie: { sameSite } } });
      for (let page = 1; page <= 8; page += 1) {
        const url = `${flow.baseUrl}/private?page=${page}`;
        const arrival = await flow.browser.navigate({
          method: 'GET',
          url,
          from: 'https://mail.example',
        });
        expect([errorCode(arrival), arrival.url, checks(arrival)]).toEqual([undefined, url, 0]);
        flow.clock.advance(1);
      }
    },
  );

  it('lead to a page that needs no login as well, with the mark of a request that has come again', async () => {
    await start({
      session: { cookie: { sameSite: 'strict' } },
      routes: (app) => void app.get('/open', (_req, res) => void res.json({})),
    });
    await flow.signIn();
    const url = `${flow.baseUrl}/login?return_to=/open&oidc_arrived=yes`;
    for (const _link of [1, 2, 3]) {
      const from = 'https://mail.example';
      const arrival = await flow.browser.navigate({ method: 'GET', url, from });
      expect([errorCode(arrival), arrival.url]).toEqual([undefined, `${flow.baseUrl}/open`]);
      flow.clock.advance(1);
    }
  });

  it('lead to the page that says why, where a Strict session gets lost', async () => {
    await start({ session: { cookie: { sameSite: 'strict' } } });
    flow.browser.refuses = (cookie) => cookie.startsWith('connect.sid=');
    const url = `${flow.baseUrl}/private`;
    const from = 'https://mail.example';
    const arrival = await flow.browser.navigate({ method: 'GET', url, from });
    expect(errorCode(arrival)).toBe('ERR_OIDC_SESSION_LOST');
    expect(flow.op.count('/authorize')).toBe(2);
  });
});
