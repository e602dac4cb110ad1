import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow } from '../../support/flow.ts';
import { callApi, expectEnd, startStale } from '../../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-refresh-token-invalid-sub', () => {
  it('ends the login (Core 12.2)', async () => {
    flow = await startStale();
    await expectEnd(flow, { claims: { sub: 'eve' } }, 'ID_TOKENS_SUB');
  });

  it('gives the API call that found it a 401', async () => {
    flow = await startStale();
    flow.op.lie({ refreshedIdToken: { claims: { sub: 'eve' } } });
    const refused = await callApi(flow);
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.storeKeys()).toEqual([]);
  });
});
