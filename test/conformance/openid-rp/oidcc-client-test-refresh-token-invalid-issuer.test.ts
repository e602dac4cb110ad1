import { afterEach, describe, it } from '@jest/globals';
import type { Flow } from '../../support/flow.ts';
import { expectEnd, startStale } from '../../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-refresh-token-invalid-issuer', () => {
  it('ends the login (Core 12.2)', async () => {
    flow = await startStale();
    await expectEnd(flow, { claims: { iss: 'https://evil.example' } }, 'ID_TOKEN_ISS');
  });
});
