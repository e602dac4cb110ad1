import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../../support/flow.ts';
import { startUserinfoFlow } from '../../support/userinfo-flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startUserinfoFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-scope-userinfo-claims', () => {
  it('the scopes are asked for, and their claims come by UserInfo', async () => {
    await flow.signIn();
    const { scope } = flow.op.lastRequest('/authorize').parameters;
    expect(scope).toBe('openid profile email');
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ name: 'Ada Marwick', email: 'ada@shop.example' });
  });
});
