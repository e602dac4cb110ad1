import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { inProcessLock, type Lock } from 'passport-oidc-hybrid';
import type { Browser, Hop } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { createGate, type Gate } from '../support/gate.ts';

let flow: Flow;
/** Another process of the same application: the same store and lock, and a memory of its own. */
let other: Flow;
/** Reached when the lock of a login is asked for a second time. */
let secondAtLock: Gate;
/** In place of the lock's own answer. */
let acquireLogin: Lock['acquire'] | undefined;

beforeEach(async () => {
  const inner = inProcessLock();
  let count = 0;
  secondAtLock = createGate();
  acquireLogin = undefined;
  const lock: Lock = {
    acquire(key, lease, wait) {
      const isLogin = key.startsWith('oidc:login:');
      if (isLogin) count += 1;
      if (isLogin && count === 2) void secondAtLock.wait();
      return (isLogin && acquireLogin ? acquireLogin : inner.acquire)(key, lease, wait);
    },
  };
  const store = new MemoryStore();
  flow = await startFlow({ store, oidc: { lock } });
  const { op, clock, baseUrl } = flow;
  other = await startFlow({ op, clock, store, oidc: { lock, baseUrl } });
});
afterEach(async () => {
  await other.close();
  await flow.close();
});

/** A login at the point where the browser comes back. */
async function begin(path = '/private'): Promise<Hop> {
  const { next } = await flow.browser.navigate(
    `${flow.baseUrl}${path}`,
    ({ method }) => method === 'POST',
  );
  if (next === undefined) throw new Error('no callback');
  return next;
}

/** The second hop, with the answer sealed into it; both processes open it. */
async function secondHop(browser: Browser, callback: Hop): Promise<Hop> {
  const { next } = await browser.navigate(callback, () => true);
  if (next === undefined) throw new Error('no second hop');
  return next;
}

const atOther = (hop: Hop): Hop => ({ ...hop, url: hop.url.replace(flow.baseUrl, other.baseUrl) });

describe('a visitor who submits twice, the second time to another process', () => {
  it('while the first is at the token endpoint ends signed in, and the code is spent once', async () => {
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const hop = await secondHop(flow.browser, await begin());
    const held = flow.op.hold('/token');
    // The first navigation is canceled by the second, so its cookies never arrive: another jar.
    const canceled = await flow.browser.copy(flow.baseUrl);
    const first = canceled.navigate(hop);
    await held.arrived;
    const second = flow.browser.navigate(atOther(hop));
    await secondAtLock.reached;
    held.release();
    for (const arrival of [await first, await second]) {
      expect(arrival.status).toBe(200);
      expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
    }
    expect((await second).url).toBe(`${other.baseUrl}/private`);
    expect(flow.op.count('/token')).toBe(1);
    for (const { baseUrl } of [flow, other]) {
      expect(await flow.browser.fetch(`${baseUrl}/api/x`)).toMatchObject({ status: 200 });
    }
  });

  it('when the first has just finished ends signed in, in the same session', async () => {
    const hop = await secondHop(flow.browser, await begin());
    const canceled = await flow.browser.copy(flow.baseUrl);
    const first = await canceled.navigate(hop);
    const arrival = await flow.browser.navigate(atOther(hop));
    expect(arrival).toMatchObject({ status: 200, url: `${other.baseUrl}/private` });
    expect(flow.op.count('/token')).toBe(1);
    expect(flow.op.refreshes.reused).toBe(0);
    // Both browsers remember that they were signed in.
    for (const { history } of [first, arrival]) {
      const remembered = history[0]?.setCookies.filter((cookie) => /\.last=\w/.test(cookie));
      expect(remembered).toHaveLength(1);
    }
    const [ids, others] = [await sessionCookie(flow.browser), await sessionCookie(canceled)];
    expect(ids).toBe(others);
  });

  it('and whose first login was refused sees that, and the code is not sent again', async () => {
    flow.op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    const hop = await secondHop(flow.browser, await begin());
    const canceled = await flow.browser.copy(flow.baseUrl);
    expect(errorCode(await canceled.navigate(hop))).toBe('ERR_OIDC_ID_TOKENS_SUB');
    const arrival = await flow.browser.navigate(atOther(hop));
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_FAILED']);
    expect(arrival.text).toContain('refused with ERR_OIDC_ID_TOKENS_SUB');
    expect(arrival.text).toContain('/login?return_to=%2Fprivate');
    expect(flow.op.count('/token')).toBe(1);
    expect(await other.browser.fetch(`${other.baseUrl}/api/x`)).toMatchObject({ status: 401 });
  });

  it('and to whom the OP said no is helped by either process', async () => {
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    const hop = await secondHop(flow.browser, await begin());
    const canceled = await flow.browser.copy(flow.baseUrl);
    for (const [browser, next] of [
      [canceled, hop],
      [flow.browser, atOther(hop)],
    ] as const) {
      const toOp = await browser.navigate(next, ({ url }) => url.startsWith(flow.op.issuer));
      expect(toOp.next?.url).toContain('prompt=login');
    }
  });
});

describe('the outcome of a login', () => {
  it('is for nobody without the cookie of that login', async () => {
    const hop = await secondHop(flow.browser, await begin());
    const thief = other.browser;
    await flow.browser.navigate(hop);
    const arrival = await thief.navigate(atOther(hop), ({ url }) => url.startsWith(flow.op.issuer));
    // As for any answer without its cookie, a login of one's own begins.
    expect(arrival.next?.url).toContain('/authorize?');
    expect(await thief.fetch(`${other.baseUrl}/api/x`)).toMatchObject({ status: 401 });
  });

  it('is sealed in the store, and opens with the cookie only', async () => {
    const hop = await secondHop(flow.browser, await begin());
    await flow.browser.navigate(hop);
    const key = (await flow.storeKeys()).find((name) => name.startsWith('oidc:login:')) ?? '';
    expect(key).toMatch(/^oidc:login:[\w-]{22}$/);
    const sessions = (flow.store as unknown as { sessions: Record<string, string> }).sessions;
    const [id = ''] = (await flow.storeKeys()).filter((name) => !name.includes(':'));
    expect(sessions[key]).not.toContain(id);
    // Put where the next login has its own, it is none of it.
    const stored = String(sessions[key]);
    const browser = await flow.browser.copy(flow.baseUrl);
    const next = await secondHop(browser, await begin('/login'));
    const { set } = flow.store;
    flow.store.set = (name, entry, done) => {
      if (name.startsWith('oidc:login:')) sessions[name] = stored;
      else set.call(flow.store, name, entry, done);
      if (name.startsWith('oidc:login:')) done?.();
    };
    const canceled = await flow.browser.copy(flow.baseUrl);
    await canceled.navigate(next);
    expect(errorCode(await flow.browser.navigate(atOther(next)))).toBe('ERR_OIDC_GRANT_REFUSED');
  });

  it('is not waited for without end', async () => {
    acquireLogin = async () => undefined;
    const hop = await secondHop(flow.browser, await begin());
    const arrival = await flow.browser.navigate(hop);
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_LOCK']);
    expect(flow.op.count('/token')).toBe(0);
  });

  it('needs no lock: one that fails keeps nobody from signing in', async () => {
    acquireLogin = async () => {
      throw new Error('down');
    };
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('is not kept in the store where one process is all there is', async () => {
    const alone = await startFlow({ op: flow.op });
    expect(await alone.signIn()).toMatchObject({ status: 200 });
    expect(await alone.storeKeys()).toHaveLength(2);
    await alone.close();
  });
});

async function sessionCookie(browser: Browser): Promise<string | undefined> {
  const cookies = await browser.jar.getCookies(flow.baseUrl);
  return cookies.find(({ key }) => key === 'connect.sid')?.value;
}
