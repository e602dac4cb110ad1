import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
});
afterEach(() => flow.close());

const login = (): ReturnType<Browser['navigate']> => flow.signIn(new Browser());

describe('Core 10.1.1 a kid that is unknown', () => {
  it('has the keys fetched again, at most every 30 seconds', async () => {
    await login();
    flow.op.lie({ frontIdToken: { header: { kid: 'unknown' } } });
    for (let round = 0; round < 5; round += 1) {
      expect(errorCode(await login())).toBe('ERR_OIDC_ID_TOKEN_KEY');
    }
    expect(flow.op.count('/jwks')).toBe(2);
    flow.op.honest();
    await flow.op.rotateKeys();
    flow.clock.advance(29);
    expect(errorCode(await login())).toBe('ERR_OIDC_ID_TOKEN_KEY');
    expect(flow.op.count('/jwks')).toBe(2);
    flow.clock.advance(1);
    expect(await login()).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(3);
  });

  it('has them fetched once for logins that wait together', async () => {
    await login();
    await flow.op.rotateKeys();
    const held = flow.op.hold('/jwks');
    const first = login();
    await held.arrived;
    const second = login();
    const before = flow.op.count('/authorize');
    while (flow.op.count('/authorize') === before) await new Promise(setImmediate);
    await new Promise(setImmediate);
    held.release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(flow.op.count('/jwks')).toBe(2);
  });

  it('that cannot be looked up is an outage, and no defect of the token', async () => {
    await login();
    await flow.op.rotateKeys();
    flow.op.lie({ jwks: { status: 503, body: '' } });
    const arrival = await login();
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNAVAILABLE']);
    flow.op.honest();
    flow.clock.advance(31);
    expect(await login()).toMatchObject({ status: 200 });
  });
});
