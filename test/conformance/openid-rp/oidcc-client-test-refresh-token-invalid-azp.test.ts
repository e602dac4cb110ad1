import { afterEach, describe, it } from '@jest/globals';
import type { Flow } from '../../support/flow.ts';
import { expectEnd, startStale } from '../../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-refresh-token-invalid-azp', () => {
  it('an azp that was not there before ends the login (Core 12.2)', async () => {
    flow = await startStale();
    await expectEnd(flow, { claims: { azp: 'client' } }, 'ID_TOKENS_AUD');
  });
});
