import { afterEach, beforeEach, describe, it } from '@jest/globals';
import type { Flow } from '../../support/flow.ts';
import { expectRefusal } from '../../support/refusals.ts';
import { startUserinfoFlow } from '../../support/userinfo-flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startUserinfoFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-userinfo-invalid-sub', () => {
  it('an answer about another user refuses the login', async () => {
    const json = (body: Record<string, unknown>) => ({ ...body, sub: 'not ada' });
    await expectRefusal(flow, { userinfo: { json } }, 'USERINFO_SUB');
  });
});
