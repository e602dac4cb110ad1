import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../../support/flow.ts';
import { startUserinfoFlow } from '../../support/userinfo-flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startUserinfoFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-aggregated-claims', () => {
  it('claims of other sources come as the OP sends them, for the application to verify', async () => {
    flow.op.userinfo = { _claim_names: { address: 'src1' }, _claim_sources: {} };
    await flow.signIn();
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ _claim_names: { address: 'src1' } });
  });
});
