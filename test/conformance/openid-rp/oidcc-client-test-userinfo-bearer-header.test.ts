import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Flow } from '../../support/flow.ts';
import { startUserinfoFlow } from '../../support/userinfo-flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startUserinfoFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-userinfo-bearer-header', () => {
  it('the access token goes in the header, and nowhere else', async () => {
    await flow.signIn();
    const { method, path, headers, parameters } = flow.op.lastRequest('/userinfo');
    expect([method, path, parameters]).toEqual(['GET', '/userinfo', {}]);
    expect(headers.authorization).toBe(`Bearer ${flow.op.accessTokens.back[0]}`);
  });
});
