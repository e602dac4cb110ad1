import { afterEach, describe, expect, it } from '@jest/globals';
import type { LyingOp } from '../../lib/testing/lying-op.ts';
import { Browser } from '../support/browser.ts';
import { type Flow, json, startFlow } from '../support/flow.ts';
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
