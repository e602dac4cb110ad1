import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import type { Arrival } from '../support/browser.ts';
import { FailingStore } from '../support/failing-store.ts';
import { type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

let flow: Flow;
let store: FailingStore;
afterEach(() => flow.close());

async function start(setup: FlowSetup = {}): Promise<void> {
  store = new FailingStore();
  store.throws = true;
  flow = await startFlow({ store, ...setup });
}

/** A login in which one write of the store throws; 0 is none. */
async function signInWithout(write: number): Promise<{ arrival: Arrival; writes: number }> {
  let writes = 0;
  store.failsAt = (operation) => {
    if (operation === 'write') writes += 1;
    return operation === 'write' && writes === write;
  };
  const arrival = await flow.signIn();
  store.failsAt = () => false;
  return { arrival, writes };
}

const withPassport: FlowSetup = {
  before: (app) => void app.use(passport.initialize(), passport.session()),
  router: (app, oidc) => {
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user: Express.User, done) => done(null, user));
    passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
    app.get('/login', passport.authenticate('oidc'));
    app.post('/callback', passport.authenticate('oidc'));
    app.get('/callback', passport.authenticate('oidc', { successReturnToOrRedirect: '/' }));
  },
};

describe('a store that throws in place of calling back', () => {
  it.each<[string, FlowSetup]>([
    ['the router', {}],
    ['the router, with an index of sessions', { oidc: { backchannelLogout: true } }],
    ['Passport', withPassport],
    [
      'a session that is saved at each request',
      { session: { resave: true, saveUninitialized: true } },
    ],
    ['a session that is prolonged', { session: { rolling: true } }],
  ])(
    'leaves no request of a login without an answer, whichever write it is: %s',
    async (_what, setup) => {
      await start(setup);
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const { writes } = await signInWithout(0);
      expect(writes).toBeGreaterThan(1);
      for (let write = 1; write <= writes; write += 1) {
        await flow.browser.jar.removeAllCookies();
        await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
        const { arrival } = await signInWithout(write);
        expect([write, [200, 500, 503].includes(arrival.status)]).toEqual([write, true]);
        // With the store in order, the same visitor signs in.
        expect(json(await flow.signIn())).toMatchObject({ sub: 'ada' });
      }
    },
  );
});
