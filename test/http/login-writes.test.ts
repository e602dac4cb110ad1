import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore, type SessionData } from 'express-session';
import { subscribe } from 'passport-oidc-hybrid';
import { FailingStore } from '../support/failing-store.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
let unsubscribe: (() => void) | undefined;
afterEach(async () => {
  unsubscribe?.();
  unsubscribe = undefined;
  await flow.close();
});

/** A store that writes down what it is asked to change. */
class WatchedStore extends MemoryStore {
  readonly changes: string[] = [];

  override set(sid: string, session: SessionData, done?: () => void): void {
    this.changes.push(kindOf('set', sid));
    super.set(sid, session, done);
  }

  override touch(sid: string, session: SessionData, done?: () => void): void {
    this.changes.push(kindOf('touch', sid));
    super.touch(sid, session, done);
  }

  override destroy(sid: string, done?: () => void): void {
    this.changes.push(kindOf('destroy', sid));
    super.destroy(sid, done);
  }
}

const kindOf = (operation: string, sid: string): string =>
  `${operation} ${sid.startsWith('oidc:') ? 'record' : 'session'}`;

/** As far as the answer of the callback, which has the new session's cookie. */
const callBack = () =>
  flow.browser.navigate(`${flow.baseUrl}/login`, ({ url }) => new URL(url).pathname === '/');

describe('a login', () => {
  it('writes its session and its record once, and nothing else', async () => {
    const store = new WatchedStore();
    flow = await startFlow({ store });
    await callBack();
    expect(store.changes.sort()).toEqual(['set record', 'set session']);
    expect(json(await flow.browser.navigate(`${flow.baseUrl}/`))['claims']).not.toBeNull();
  });

  it.each([
    ['an id of letters', undefined],
    ['an id that cookies hold encoded', () => `a/b=${Math.random()}`],
  ])('destroys the session that the visitor had, with %s', async (_what, genid) => {
    const store = new WatchedStore();
    flow = await startFlow({ store, session: genid ? { genid } : {} });
    await flow.browser.navigate(`${flow.baseUrl}/cart/apple`);
    const [before = ''] = await flow.loginKeys();
    await callBack();
    expect(store.changes).toContain('destroy session');
    expect(await flow.loginKeys()).not.toContain(before);
    expect(await flow.loginKeys()).toHaveLength(2);
    expect(json(await flow.browser.navigate(`${flow.baseUrl}/`))['cart']).toEqual(['apple']);
  });

  it('saves what the application changes in its session after it', async () => {
    flow = await startFlow();
    unsubscribe = subscribe('login', ({ req }) => {
      req.session.basket = ['late'];
    });
    await callBack();
    expect(json(await flow.browser.navigate(`${flow.baseUrl}/`))['cart']).toEqual(['late']);
  });

  it.each<[string, (cookie: SessionData['cookie']) => void, object]>([
    [
      'attributes',
      (cookie) => {
        cookie.sameSite = 'strict';
      },
      { sameSite: 'strict' },
    ],
    [
      'life',
      (cookie) => {
        cookie.maxAge = 5_000;
      },
      { originalMaxAge: 5_000 },
    ],
  ])("saves other %s of the session's cookie", async (_what, change, expected) => {
    flow = await startFlow();
    unsubscribe = subscribe('login', ({ req }) => change(req.session.cookie));
    await callBack();
    const [sid = ''] = (await flow.loginKeys()).filter((key) => !key.startsWith('oidc:'));
    const found = await new Promise<SessionData | null | undefined>((resolve) =>
      flow.store.get(sid, (_error, entry) => resolve(entry)),
    );
    expect(found?.cookie).toMatchObject(expected);
  });
});

describe('a store that takes only one of the two writes of a login', () => {
  it.each([
    ['session', (sid: string) => sid.startsWith('oidc:')],
    ['record', (sid: string) => !sid.startsWith('oidc:')],
  ])('the %s: nobody is signed in, and nothing stays', async (_which, isRefused) => {
    const store = new FailingStore();
    flow = await startFlow({ store });
    const refused = new Set<string>();
    store.failsAt = (operation, sid) => {
      // Once for each entry: what the store took has to be destroyed again.
      const fails = operation === 'write' && isRefused(sid) && !refused.has(sid);
      if (fails) refused.add(sid);
      return fails;
    };
    const answer = await callBack();
    expect([answer.status, errorCode(answer)]).toEqual([503, 'ERR_OIDC_SESSION_STORE']);
    expect(refused.size).toBe(1);
    expect(await flow.loginKeys()).toEqual([]);
    expect(json(await flow.browser.navigate(`${flow.baseUrl}/`))['claims']).toBeNull();
  });
});
