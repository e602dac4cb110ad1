import { afterEach, describe, expect, it } from '@jest/globals';
import type { LyingOp } from '../../lib/testing/lying-op.ts';
import { type Arrival, Browser, type Hop } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { startTwoFlows } from '../support/two-flows.ts';

let flow: Flow;
let second: LyingOp;
afterEach(async () => {
  await flow.close();
  await second.stop();
});

async function startTwo(): Promise<void> {
  ({ flow, second } = await startTwoFlows());
}

describe('two flows on one application', () => {
  it('sign in and out beside each other', async () => {
    await startTwo();
    const browser = new Browser();
    for (let round = 0; round < 2; round += 1) {
      expect(await flow.signIn(browser)).toMatchObject({ status: 200 });
      expect(await flow.signIn(browser, '/second')).toMatchObject({ status: 200 });
      await browser.navigate({ method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl });
    }
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('visited in turn by one visitor, however quickly, have nothing to check', async () => {
    const { now } = startTickingClock();
    ({ flow, second } = await startTwoFlows({ now }));
    for (let round = 0; round < 8; round += 1) {
      for (const path of ['/private', '/second']) {
        const { status, history } = await flow.signIn(flow.browser, path);
        const checks = history.filter(({ url }) => url.includes('oidc_session_check='));
        expect([status, checks]).toEqual([200, []]);
      }
    }
    expect([flow.op.count('/authorize'), second.count('/authorize')]).toEqual([8, 8]);
  });

  it('that one page wants both, which cannot be, end in a page and no loop', async () => {
    const { now } = startTickingClock();
    ({ flow, second } = await startTwoFlows({ now }));
    let next: string | Hop | undefined = `${flow.baseUrl}/both`;
    let arrival: Arrival | undefined;
    // In parts: a browser gives up after 20 redirects, and these are more.
    while (next !== undefined && second.count('/authorize') < 20) {
      let left = 15;
      arrival = await flow.browser.navigate(next, () => {
        left -= 1;
        return left === 0;
      });
      next = arrival.next;
    }
    expect(arrival && errorCode(arrival)).toBe('ERR_OIDC_SESSION_LOST');
    expect(second.count('/authorize')).toBe(6);
  });

  it('each notice a session that gets lost, though the other is there', async () => {
    const { now } = startTickingClock();
    ({ flow, second } = await startTwoFlows({ now }));
    await flow.signIn(flow.browser, '/second');
    flow.browser.refuses = (cookie) => cookie.startsWith('connect.sid=');
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_SESSION_LOST');
    expect(flow.op.count('/authorize')).toBe(2);
  });

  it("never carry one user's data to the user of the other", async () => {
    await startTwo();
    second.subject = 'bob';
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const arrival = await flow.signIn(flow.browser, '/second');
    expect(json(arrival)).toEqual({ sub: 'bob', cart: [] });
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
  });

  it('carry an anonymous cart', async () => {
    await startTwo();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    expect(json(await flow.signIn(flow.browser, '/second'))).toMatchObject({ cart: ['tea'] });
  });

  it('with one session key and one secret do not take a login for that of the other OP', async () => {
    await startTwo();
    const other = await startFlow({ store: flow.store, op: second });
    await flow.signIn();
    const browser = await flow.browser.copy(flow.baseUrl);
    expect(await browser.fetch(`${other.baseUrl}/api/x`)).toMatchObject({ status: 401 });
    await other.close();
  });

  it('with one session key and two secrets keep each to its own logins', async () => {
    await startTwo();
    const { store, op } = flow;
    const again = await startFlow({
      store,
      op,
      oidc: { secret: 'another secret, long enough to seal' },
    });
    await flow.signIn();
    expect(await again.signIn(new Browser())).toMatchObject({ status: 200 });
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    await again.close();
  });
});
