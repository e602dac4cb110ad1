import { afterEach, describe, expect, it } from '@jest/globals';
import passport, { type Authenticator } from 'passport';
import type { Lies } from '../../lib/testing/lies.ts';
import { type Arrival, Browser, type Hop } from '../support/browser.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function start(setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({ isSameSite: true, ...setup });
}

/** A login at the point where the OP's page posts the answer. */
async function untilCallback(): Promise<Hop> {
  const { next } = await flow.browser.navigate(
    `${flow.baseUrl}/private`,
    ({ method }) => method === 'POST',
  );
  if (next === undefined) throw new Error('no callback');
  return next;
}

/** Methods of the requests to the callback. */
const callbacks = ({ history }: Arrival): string[] =>
  history.filter(({ url }) => new URL(url).pathname === '/callback').map(({ method }) => method);

describe.each(['lax', 'strict'] as const)('an OP on the same site, a %s session', (sameSite) => {
  const session = { cookie: { sameSite } };

  it("has the login ended by its POST, with the visitor's session", async () => {
    await start({ session });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const [before] = await flow.storeKeys();
    const arrival = await flow.signIn();
    expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
    expect(callbacks(arrival)).toEqual(['POST']);
    expect(await flow.storeKeys()).not.toContain(before);
    expect(await flow.browser.cookieNames(`${flow.baseUrl}/callback`)).not.toEqual(
      expect.arrayContaining([expect.stringContaining('tx.')]),
    );
  });

  it('has a login without its cookie refused at the second hop, and the session left alone', async () => {
    await start({ session });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const before = await flow.storeKeys();
    const callback = await untilCallback();
    const cookies = await flow.browser.jar.getCookies(`${flow.baseUrl}/callback`);
    const other = await flow.browser.copy(`${flow.baseUrl}/callback`);
    await other.jar.removeAllCookies();
    for (const cookie of cookies.filter(({ key }) => !key.includes('tx.'))) {
      await other.jar.setCookie(String(cookie), flow.baseUrl);
    }
    const [first, second] = (
      await other.navigate(callback, ({ url }) => url.includes('/authorize'))
    ).history;
    expect([first?.status, first?.setCookies]).toEqual([303, []]);
    expect(second?.url).toContain('oidc_response=');
    expect(flow.op.count('/token')).toBe(0);
    expect(await flow.storeKeys()).toEqual(before);
  });
});

it('what the visitor put into the cart during the login is there after it', async () => {
  await start();
  const callback = await untilCallback();
  await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
  expect(json(await flow.browser.navigate(callback))).toMatchObject({ sub: 'ada', cart: ['tea'] });
});

it('an answer without its cookie makes no session, where the application keeps empty ones', async () => {
  await start({ session: { saveUninitialized: true } });
  const callback = await untilCallback();
  const before = await flow.storeKeys();
  const stranger = await new Browser().perform(callback);
  expect([stranger.status, stranger.setCookies]).toEqual([303, []]);
  expect(await flow.storeKeys()).toEqual(before);
});

it('an answer that another site posts takes two hops, whatever cookies come with it', async () => {
  await start();
  const callback = await untilCallback();
  const posted = { ...callback, headers: { 'Sec-Fetch-Site': 'cross-site' } };
  const arrival = await flow.browser.navigate(posted);
  expect(json(arrival)).toMatchObject({ sub: 'ada' });
  expect(callbacks(arrival)).toEqual(['POST', 'GET']);
  expect(arrival.history[0]?.setCookies).toEqual([]);
});

it('an answer that is posted twice at once signs both in, and its code is spent once', async () => {
  await start();
  const callback = await untilCallback();
  const double = await flow.browser.copy(`${flow.baseUrl}/callback`);
  const arrivals = await Promise.all([flow.browser, double].map((one) => one.navigate(callback)));
  expect(arrivals.map((arrival) => json(arrival)['sub'])).toEqual(['ada', 'ada']);
  expect(flow.op.count('/token')).toBe(1);
});

it('an answer that comes again after the login leads who is signed in on', async () => {
  await start();
  const callback = await untilCallback();
  await flow.browser.navigate(callback);
  expect(json(await flow.browser.navigate(callback))).toMatchObject({ sub: 'ada' });
  expect(flow.op.count('/token')).toBe(1);
});

it.each<[string, Lies, string]>([
  ['a wrong nonce', { frontIdToken: { claims: { nonce: 'x' } } }, 'ERR_OIDC_ID_TOKEN_NONCE'],
  [
    'another issuer in iss',
    {
      response: (own) => [
        ...own.filter(([name]) => name !== 'iss'),
        ['iss', 'https://other.example'],
      ],
    },
    'ERR_OIDC_ISS_MISMATCH',
  ],
  [
    'an error',
    {
      response: (own) => [...own.filter(([name]) => name === 'state'), ['error', 'access_denied']],
    },
    'ERR_OIDC_ACCESS_DENIED',
  ],
])('a posted answer with %s is refused, and leaves no session', async (_what, lies, code) => {
  await start();
  flow.op.lie(lies);
  const arrival = await flow.signIn();
  expect(errorCode(arrival)).toBe(code);
  expect(callbacks(arrival)).toEqual(['POST']);
  expect(await flow.storeKeys()).toEqual([]);
});

it('by Passport, a login ends at the route of the GET, where the application lands it', async () => {
  const own = new passport.Passport() as unknown as Authenticator;
  own.serializeUser((user, done) => done(null, user));
  await start({
    router: (app, oidc) => {
      own.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
      app.get('/login', own.authenticate('oidc'));
      app.post('/callback', own.authenticate('oidc'));
      app.get('/callback', own.authenticate('oidc', { successReturnToOrRedirect: '/' }));
    },
  });
  const arrival = await flow.signIn();
  expect(json(arrival)).toMatchObject({ sub: 'ada' });
  expect(callbacks(arrival)).toEqual(['POST', 'GET']);
});
