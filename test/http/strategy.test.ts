import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import type { Verify } from 'passport-oidc-hybrid';
import type { Hop } from '../support/browser.ts';
import { type Flow, json, startFlow } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';

let flow: Flow;
afterEach(() => flow.close());

interface User {
  readonly id: string;
  readonly isBroken?: boolean;
}

/** A Passport of its own for each test: the exported one is shared by all. */
function newPassport(): passport.Authenticator {
  const made = new passport.Passport();
  made.serializeUser((user, done) => {
    const { id, isBroken } = user as User;
    done(isBroken ? new Error('this user cannot be kept') : null, id);
  });
  made.deserializeUser((id, done) => done(null, { id: String(id) }));
  return made as unknown as passport.Authenticator;
}

const verify: Verify = ({ claims }) => ({ id: `user of ${claims.sub}` });

/** An ordinary Passport application; its routes are not those of the router. */
async function startPassportApp(
  check: Verify = verify,
  options: passport.AuthenticateOptions = { successRedirect: '/me' },
): Promise<void> {
  const own = newPassport();
  flow = await startFlow({
    oidc: { callbackPath: '/auth/callback' },
    before: (app) => void app.use(own.session()),
    routes: (app) => {
      app.get('/auth', own.authenticate('oidc', { returnTo: '/private' } as object));
      app.get('/auth-anywhere', own.authenticate('oidc'));
      app.get('/auth-mfa', own.authenticate('oidc', { login: { acrValues: 'mfa' } } as object));
      app.get('/me', (req, res) => {
        res.json({ user: req.user ?? null, isAuthenticated: req.isAuthenticated() });
      });
      app.get('/leave', (req, res, next) =>
        req.logout((error) => (error ? next(error) : res.json({}))),
      );
    },
    router: (app, oidc) => {
      own.use(oidc.strategy(check));
      app.post('/auth/callback', own.authenticate('oidc'));
      app.get('/auth/callback', own.authenticate('oidc', options));
    },
  });
}

const me = async (): Promise<Record<string, unknown>> =>
  json(await flow.browser.navigate(`${flow.baseUrl}/me`));

describe('as a Passport strategy', () => {
  it('signs in: req.user, req.isAuthenticated(), and requireAuth beside it', async () => {
    await startPassportApp();
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/me` });
    expect(json(arrival)).toEqual({ user: { id: 'user of ada' }, isAuthenticated: true });
    const api = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect(json(api)).toMatchObject({ authorization: `Bearer ${flow.op.accessTokens.back[0]}` });
    expect(flow.errors).toEqual([]);
  });

  it('asks for what passport.authenticate says about this login, and enforces it', async () => {
    await startPassportApp();
    expect((await flow.browser.navigate(`${flow.baseUrl}/auth-mfa`)).url).toBe(
      `${flow.baseUrl}/me`,
    );
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({ acr_values: 'mfa' });
    flow.op.claims = { acr: 'password' };
    await flow.browser.navigate(`${flow.baseUrl}/auth-mfa`);
    expect(flow.errors).toEqual([expect.objectContaining({ code: 'ERR_OIDC_ACR' })]);
  });

  it("keeps the visitor's session under a new id", async () => {
    await startPassportApp();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const [before] = await flow.storeKeys();
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({ cart: ['tea'] });
    expect(await flow.storeKeys()).not.toContain(before);
  });

  it('with keepSessionInfo, as Passport knows it, works too', async () => {
    await startPassportApp(verify, { successRedirect: '/me', keepSessionInfo: true });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(await me()).toMatchObject({ isAuthenticated: true });
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });

  it("ends with Passport's logout, tokens included", async () => {
    await startPassportApp();
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    await flow.browser.navigate(`${flow.baseUrl}/leave`);
    expect(await me()).toEqual({ user: null, isAuthenticated: false });
    expect((await flow.storeKeys()).filter((key) => key.startsWith('oidc:'))).toEqual([]);
  });

  it.each([
    ['verify says no', () => startPassportApp(() => false), {}],
    [
      'the OP says access_denied',
      () => startPassportApp(),
      {
        response: (parameters: [string, string][]): [string, string][] => [
          ...parameters.filter(([name]) => name === 'state'),
          ['error', 'access_denied'],
        ],
      },
    ],
  ])('fails, as Passport knows it, when %s', async (_name, start, lies) => {
    await start();
    flow.op.lie(lies);
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(arrival.status).toBe(403);
    expect(await me()).toEqual({ user: null, isAuthenticated: false });
    expect(flow.errors).toEqual([]);
  });

  it('goes to failureRedirect when it fails', async () => {
    await startPassportApp(() => null, { failureRedirect: '/me' });
    expect(await flow.browser.navigate(`${flow.baseUrl}/auth`)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/me`,
    });
  });

  it('gives a new session id even where Passport is told to keep none', async () => {
    await startPassportApp(verify, { session: false, successRedirect: '/' });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const attacker = await flow.browser.copy(flow.baseUrl);
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    expect(await attacker.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
  });

  it('lets the login route have a query of its own', async () => {
    await startPassportApp();
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/auth?code=discount&state=x&r=y`);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/me` });
  });

  it('ends in the error of the application when its serializer fails', async () => {
    await startPassportApp(() => ({ id: undefined, isBroken: true }));
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(flow.errors).toEqual([expect.objectContaining({ message: 'this user cannot be kept' })]);
    expect((await flow.storeKeys()).filter((key) => key.startsWith('oidc:'))).toEqual([]);
  });

  it('hands errors to the application, with their codes', async () => {
    await startPassportApp();
    flow.op.lie({ frontIdToken: { claims: { nonce: 'other' } } });
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(flow.errors).toEqual([
      expect.objectContaining({ code: 'ERR_OIDC_ID_TOKEN_NONCE', status: 400 }),
    ]);
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('takes a callback that was submitted twice', async () => {
    await startPassportApp();
    const { next } = await flow.browser.navigate(
      `${flow.baseUrl}/auth`,
      ({ method }) => method === 'POST',
    );
    const canceled = await flow.browser.copy(flow.baseUrl);
    await canceled.navigate(next as Hop);
    const arrival = await flow.browser.navigate(next as Hop);
    expect(json(arrival)).toEqual({ user: { id: 'user of ada' }, isAuthenticated: true });
    expect(flow.op.count('/token')).toBe(1);
  });

  it('goes back to the path that the login route names, once', async () => {
    await startPassportApp(verify, { successReturnToOrRedirect: '/me' });
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/auth`);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    const asked = await flow.browser.navigate(`${flow.baseUrl}/auth-anywhere?return_to=/cart/tea`);
    expect(asked).toMatchObject({ status: 200, url: `${flow.baseUrl}/cart/tea` });
  });

  it('goes back there also when it was submitted twice', async () => {
    await startPassportApp(verify, {});
    const { next } = await flow.browser.navigate(
      `${flow.baseUrl}/auth`,
      ({ method }) => method === 'POST',
    );
    const canceled = await flow.browser.copy(flow.baseUrl);
    await canceled.navigate(next as Hop);
    expect(await flow.browser.navigate(next as Hop)).toMatchObject({
      url: `${flow.baseUrl}/private`,
    });
  });
});

describe('a callback of the application that throws', () => {
  it.each([
    ['on an error', (error: unknown) => Boolean(error)],
    ['after a success', (error: unknown) => !error],
  ])('(%s) reaches the error handler, and ends nothing', async (_when, throws) => {
    const own = newPassport();
    flow = await startFlow({
      oidc: { callbackPath: '/auth/callback' },
      before: (app) => void app.use(own.session()),
      router: (app, oidc) => {
        own.use(oidc.strategy(verify));
        app.get('/auth', own.authenticate('oidc'));
        app.post('/auth/callback', own.authenticate('oidc'));
        app.get('/auth/callback', (req, res, next) => {
          own.authenticate('oidc', (error: unknown) => {
            if (throws(error)) throw new Error('a mistake of the application');
            res.end();
          })(req, res, next);
        });
      },
    });
    await flow.browser.navigate(`${flow.baseUrl}/auth`);
    await flow.browser.navigate(`${flow.baseUrl}/auth/callback?state=y`);
    expect(flow.errors.map(String)).toEqual(['Error: a mistake of the application']);
    expect(await flow.storeKeys()).toEqual([]);
  });
});

describe('an application that copies a session', () => {
  it.each([
    ['on logout, by keepSessionInfo', '/leave'],
    ['on a login of its own, by keepSessionInfo', '/local'],
    ['by hand', '/copy'],
  ])('%s, keeps what is in it, and the login not', async (_how, path) => {
    const own = newPassport();
    flow = await startFlow({
      before: (app) => void app.use(own.session()),
      routes: (app) => {
        const keep = { keepSessionInfo: true, session: true };
        app.get('/leave', (req, res, next) =>
          req.logout(keep, (error) => (error ? next(error) : res.json({}))),
        );
        app.get('/local', (req, res, next) =>
          req.logIn({ id: 'local' }, keep, (error) => (error ? next(error) : res.json({}))),
        );
        app.get('/copy', (req, res, next) => {
          const { cookie, ...data } = req.session;
          req.session.regenerate((error) => {
            Object.assign(req.session, data);
            error ? next(error) : res.json({});
          });
        });
      },
    });
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.browser.navigate(`${flow.baseUrl}${path}`);
    const home = json(await flow.browser.navigate(flow.baseUrl));
    expect(home).toEqual({ claims: null, cart: ['tea'] });
  });
});

describe('the router beside Passport', () => {
  it('has nobody signed in after a logout, whatever was running', async () => {
    for (const resave of [false, true]) {
      const own = newPassport();
      const gate = createGate();
      flow = await startFlow({
        session: { resave },
        oidc: { verify },
        before: (app) => void app.use(own.session()),
        routes: (app) => {
          app.get('/me', (req, res) => void res.json({ user: req.user ?? null }));
          app.get('/slow', async (req, res) => {
            await gate.wait();
            if (!resave) req.session.basket = ['saved late'];
            res.json({});
          });
        },
      });
      await flow.signIn();
      const slow = flow.browser.fetch(`${flow.baseUrl}/slow`);
      await gate.reached;
      await flow.browser.navigate({
        method: 'GET',
        url: `${flow.baseUrl}/logout`,
        from: flow.baseUrl,
      });
      gate.open();
      await slow;
      expect(await me()).toEqual({ user: null });
      expect(await flow.storeKeys()).toEqual([]);
      if (!resave) await flow.close();
    }
  });

  it('logs the user of verify in, where Passport is mounted', async () => {
    const own = newPassport();
    flow = await startFlow({
      oidc: { verify },
      before: (app) => void app.use(own.session()),
      routes: (app) => void app.get('/me', (req, res) => void res.json({ user: req.user ?? null })),
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(await me()).toEqual({ user: { id: 'user of ada' } });
  });

  it('leaves Passport alone without verify', async () => {
    const own = newPassport();
    flow = await startFlow({
      before: (app) => void app.use(own.session()),
      routes: (app) => void app.get('/me', (req, res) => void res.json({ user: req.user ?? null })),
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(await me()).toEqual({ user: null });
  });

  it('does not carry the data of a user of another strategy over', async () => {
    const own = newPassport();
    flow = await startFlow({
      before: (app) => void app.use(own.session()),
      routes: (app) => {
        app.get('/local', (req, res, next) =>
          req.logIn({ id: 'local' }, (error) => (error ? next(error) : res.json({}))),
        );
        app.get('/me', (req, res) => void res.json({ user: req.user ?? null }));
      },
    });
    await flow.browser.navigate(`${flow.baseUrl}/local`);
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
      cart: [],
    });
    expect(await me()).toEqual({ user: null });
  });
});
