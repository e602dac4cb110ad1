import { afterEach, describe, it } from '@jest/globals';
import type { Flow } from '../../support/flow.ts';
import { expectEnd, startStale } from '../../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-refresh-token-invalid-aud', () => {
  it.each([
    ['another aud', { claims: { aud: 'other' } }, 'ID_TOKEN_AUD'],
    ['further aud', { claims: { aud: ['client', 'b'], azp: 'client' } }, 'ID_TOKENS_AUD'],
  ])('%s ends the login (Core 12.2)', async (_what, lie, code) => {
    flow = await startStale();
    await expectEnd(flow, lie, code);
  });
});
