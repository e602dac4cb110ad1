import { afterEach, describe, expect, it } from '@jest/globals';
import { subscribe } from 'passport-oidc-hybrid';
import request from 'supertest';
import { Browser } from '../../support/browser.ts';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { postLogoutToken } from '../../support/logout-request.ts';

let flow: Flow;
afterEach(() => flow.close());

async function start(): Promise<void> {
  flow = await startFlow({ oidc: { backchannelLogout: true } });
}

/** A browser that is signed in, in a session of its own at the OP. */
async function signIn(sub: string, sid: string): Promise<Browser> {
  const browser = new Browser();
  flow.op.subject = sub;
  flow.op.claims = { sid };
  expect(await flow.signIn(browser)).toMatchObject({ status: 200 });
  return browser;
}

const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.fetch(`${flow.baseUrl}/api/x`)).status === 200;

const end = async (claims: Record<string, unknown>): Promise<void> => {
  expect(await postLogoutToken(flow, { claims })).toMatchObject({ status: 200 });
};

describe('Back-Channel Logout 2.7 the sessions that end', () => {
  it('are those of the sid, and of no other', async () => {
    await start();
    const browsers = [await signIn('ada', 'one'), await signIn('ada', 'two')];
    await end({ sub: 'ada', sid: 'one' });
    expect(await Promise.all(browsers.map(isSignedIn))).toEqual([false, true]);
  });

  it('are all of the subject where there is no sid, and of nobody else', async () => {
    await start();
    const browsers = [
      await signIn('ada', 'one'),
      await signIn('eve', 'two'),
      await signIn('ada', 'three'),
    ];
    await end({ sub: 'ada' });
    expect(await Promise.all(browsers.map(isSignedIn))).toEqual([false, true, false]);
  });

  it('are those of an OP, too, that says auth_time in milliseconds', async () => {
    await start();
    flow.op.lie({ backIdToken: { claims: { auth_time: flow.clock.now() } } });
    const browser = await signIn('ada', 'one');
    await end({ sub: 'ada' });
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('are not those of a later login, though the request comes late', async () => {
    await start();
    const early = await signIn('ada', 'one');
    const token = await flow.op.logoutToken();
    flow.clock.advance(1);
    const late = await signIn('ada', 'two');
    expect(await postLogoutToken(flow, { raw: token })).toMatchObject({ status: 200 });
    expect([await isSignedIn(early), await isSignedIn(late)]).toEqual([false, true]);
  });

  it('are 100 of one subject, and nothing of them is left in the store', async () => {
    await start();
    const browsers: Browser[] = [];
    for (let index = 0; index < 100; index += 1) {
      browsers.push(await signIn('ada', `session ${index % 50}`));
    }
    const other = await signIn('eve', 'other');
    await end({ sub: undefined, sid: 'session 0' });
    const signedIn = await Promise.all(browsers.map(isSignedIn));
    expect(signedIn.map((is, index) => is === (index % 50 !== 0))).not.toContain(false);
    await end({ sub: 'ada' });
    expect(new Set(await Promise.all(browsers.map(isSignedIn)))).toEqual(new Set([false]));
    expect(await isSignedIn(other)).toBe(true);
    // The session, its record, its two entries in the index.
    expect(await flow.loginKeys()).toHaveLength(4);
  }, 60_000);

  it('are none where nobody is signed in: that is no error', async () => {
    await start();
    await end({ sub: 'nobody' });
  });

  it('keep what the visitor does afterward: a login, and its logout', async () => {
    await start();
    const browser = await signIn('ada', 'one');
    await end({ sub: 'ada' });
    flow.clock.advance(1);
    await flow.signIn(browser);
    expect(await isSignedIn(browser)).toBe(true);
    await browser.navigate({ method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl });
    expect(await isSignedIn(browser)).toBe(false);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it('include one whose login is being completed at that moment', async () => {
    await start();
    flow.op.claims = { sid: 'one' };
    const held = flow.op.hold('/token');
    const browser = new Browser();
    const arriving = flow.signIn(browser);
    await held.arrived;
    const store = flow.store as unknown as { set: (...all: unknown[]) => void };
    const set = store.set.bind(store);
    // Between the entry in the index and the record: the OP has issued the tokens by then.
    store.set = (sid, entry, done) => {
      if (!/^oidc:[^:]+$/.test(String(sid))) return set(sid, entry, done);
      store.set = set;
      void end({ sub: 'ada' }).then(() => set(sid, entry, done));
    };
    held.release();
    expect((await arriving).status).toBe(401);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe('Back-Channel Logout 2.8 the request', () => {
  const send = (type: string, body: string) =>
    request(flow.baseUrl).post('/backchannel-logout').type(type).send(body);

  it.each([
    ['without a token', 'application/x-www-form-urlencoded', 'x=1', 400],
    ['with two tokens', 'application/x-www-form-urlencoded', 'logout_token=a&logout_token=b', 400],
    ['that is empty', 'application/x-www-form-urlencoded', '', 400],
    ['of another media type', 'application/json', '{"logout_token":"a"}', 415],
    [
      'that is too large',
      'application/x-www-form-urlencoded',
      `logout_token=${'a'.repeat(70_000)}`,
      413,
    ],
  ])('%s is refused', async (_what, type, body, status) => {
    await start();
    const codes: string[] = [];
    const unsubscribe = subscribe('error', ({ error }) => void codes.push(error.code));
    const answer = await send(type, body);
    unsubscribe();
    expect([answer.status, json(answer)['error']]).toEqual([status, 'invalid_request']);
    if (status === 400) expect(codes).toEqual(['ERR_OIDC_LOGOUT_TOKEN_MISSING']);
  });

  it('while the keys cannot be had is 503, so that the OP tries again', async () => {
    await start();
    const token = await flow.op.logoutToken();
    flow.op.lie({ discovery: { status: 503 } });
    expect(await postLogoutToken(flow, { raw: token })).toMatchObject({ status: 503 });
    flow.op.honest();
    flow.clock.advance(2);
    expect(await postLogoutToken(flow, { raw: token })).toMatchObject({ status: 200 });
  });

  it('is a 404 where the option is not set', async () => {
    flow = await startFlow();
    expect(await postLogoutToken(flow)).toMatchObject({ status: 404 });
  });
});
