import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../../support/flow.ts';
import { startUserinfoFlow } from '../../support/userinfo-flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startUserinfoFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-userinfo-signed', () => {
  it.each(['RS256', 'ES256'])('an answer signed by %s is verified and used', async (alg) => {
    await flow.op.rotateKeys(alg);
    flow.op.lie({ signedUserinfo: {} });
    await flow.signIn();
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ name: 'Ada Marwick', email: 'ada@shop.example' });
  });
});
