import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import passport from 'passport';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** A store into which a test can reach, past everything that follows it. */
class OpenStore extends MemoryStore {
  declare sessions: Record<string, string>;
}

const isRecord = (sid: string): boolean => sid.startsWith('oidc:');

describe('a session and the record beside it', () => {
  it('belong together by the id of the login, or nobody is signed in', async () => {
    const store = new OpenStore();
    flow = await startFlow({ store });
    await flow.signIn();
    const sid = Object.keys(store.sessions).find((key) => !isRecord(key)) ?? '';
    const entry = JSON.parse(store.sessions[sid] ?? '');
    entry.oidc.id = 'of another login';
    store.sessions[sid] = JSON.stringify(entry);
    expect(errorCode(await flow.browser.fetch(`${flow.baseUrl}/api/x`))).toBe(
      'ERR_OIDC_LOGIN_REQUIRED',
    );
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({ claims: null });
  });

  it('are both gone where the session could not be saved', async () => {
    const store = new OpenStore();
    const set = store.set.bind(store);
    let failures = 0;
    store.set = (sid, entry, done) => {
      if (!isRecord(sid) && failures === 0) {
        failures += 1;
        done?.(new Error('down for a moment'));
      } else set(sid, entry, done);
    };
    flow = await startFlow({ store });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    expect(failures).toBe(1);
    expect(await flow.storeKeys()).toEqual([]);
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
  });
});

describe('what is carried over into a new session', () => {
  it('is not the life of the old one', async () => {
    const store = new OpenStore();
    flow = await startFlow({
      store,
      routes: (app) => {
        app.get('/short', (req, res) => {
          req.session.cookie.maxAge = 300_000;
          req.session.basket = ['tea'];
          res.json({});
        });
      },
    });
    await flow.browser.navigate(`${flow.baseUrl}/short`);
    expect(json(await flow.signIn())).toMatchObject({ cart: ['tea'] });
    const lives = Object.values(store.sessions).map((text) => JSON.parse(text).cookie);
    expect(lives.map(({ originalMaxAge }) => originalMaxAge)).toEqual([null, null]);
  });

  it('is not the user of before, where the same subject is another user now', async () => {
    const own = new passport.Passport() as unknown as passport.Authenticator;
    own.serializeUser((user, done) => done(null, user));
    own.deserializeUser((user, done) => done(null, user as Express.User));
    let logins = 0;
    flow = await startFlow({
      oidc: {
        verify: () => {
          logins += 1;
          return { number: logins };
        },
      },
      before: (app) => void app.use(own.session()),
      routes: (app) => void app.get('/me', (req, res) => void res.json({ user: req.user })),
    });
    for (const number of [1, 2]) {
      await flow.browser.navigate(`${flow.baseUrl}/login`);
      expect(json(await flow.browser.navigate(`${flow.baseUrl}/me`))).toEqual({ user: { number } });
    }
  });
});

describe('a Strict session cookie, which does not come back from the OP', () => {
  it('leaves no session behind, and nothing of a session that another cookie names', async () => {
    flow = await startFlow({ session: { cookie: { sameSite: 'strict' } } });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const [before] = await flow.storeKeys();
    expect(json(await flow.signIn())).toMatchObject({ cart: ['tea'] });
    const keys = await flow.storeKeys();
    expect(keys).toHaveLength(2);
    expect(keys).not.toContain(before);
  });
});
