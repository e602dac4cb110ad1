import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestHandler } from 'express';
import passport, { type Authenticator } from 'passport';
import request from 'supertest';
import type { Hop } from '../support/browser.ts';
import { type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** An application on Passport, whose callback ends as `landing` says. */
async function start(
  sameSite: 'lax' | 'strict',
  landing: (own: Authenticator) => RequestHandler[],
): Promise<void> {
  const own = new passport.Passport() as unknown as Authenticator;
  own.serializeUser((user, done) => done(null, user));
  own.deserializeUser((user: Express.User, done) => done(null, user));
  flow = await startFlow({
    session: { cookie: { sameSite } },
    before: (app) => void app.use(own.initialize(), own.session()),
    router: (app, oidc) => {
      own.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
      app.get('/login', own.authenticate('oidc'));
      app.post('/callback', own.authenticate('oidc'));
      app.get('/callback', ...landing(own));
      app.get('/me', (req, res) => void res.json({ user: req.user ?? null }));
    },
  });
}

const byPassport = (own: Authenticator): RequestHandler[] => [
  own.authenticate('oidc', { successReturnToOrRedirect: '/' }),
];
const byApplication = (own: Authenticator): RequestHandler[] => [
  own.authenticate('oidc'),
  (_req, res) => res.redirect(302, '/me'),
];

async function untilSecondHop(): Promise<Hop> {
  const { next } = await flow.browser.navigate(`${flow.baseUrl}/login`, ({ url }) =>
    url.includes('oidc_response'),
  );
  if (next === undefined) throw new Error('the login has no second hop');
  return next;
}

describe.each(['lax', 'strict'] as const)('after a login with a %s session cookie', (sameSite) => {
  it.each([
    ['where Passport redirects', byPassport],
    ['where the application redirects', byApplication],
  ])('the landing page shows the user already, %s', async (_who, landing) => {
    await start(sameSite, landing);
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/login?return_to=/me`);
    expect(arrival.url).toBe(`${flow.baseUrl}/me`);
    expect(json(arrival)).toEqual({ user: { id: 'ada' } });
  });

  it('a second submit lands there as well', async () => {
    await start(sameSite, byPassport);
    const hop = await untilSecondHop();
    const double = await flow.browser.copy(flow.baseUrl);
    for (const browser of [flow.browser, double]) {
      expect((await browser.navigate(hop)).url).toBe(`${flow.baseUrl}/`);
      expect(json(await browser.navigate(`${flow.baseUrl}/me`))).toEqual({ user: { id: 'ada' } });
    }
    expect(flow.op.count('/token')).toBe(1);
  });
});

describe('the callback of the strategy', () => {
  it.each(['HEAD', 'prefetch'])('spends no code on a %s', async (kind) => {
    await start('lax', byPassport);
    const hop = await untilSecondHop();
    const cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
    const method = kind === 'HEAD' ? 'head' : 'get';
    const headers = { Cookie: cookie, ...(kind === 'HEAD' ? {} : { 'Sec-Purpose': 'prefetch' }) };
    await request(flow.baseUrl)[method](hop.url.slice(flow.baseUrl.length)).set(headers);
    expect(flow.op.count('/token')).toBe(0);
    expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200 });
    expect(flow.op.count('/token')).toBe(1);
  });
});
