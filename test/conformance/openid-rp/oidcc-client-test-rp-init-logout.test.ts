import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';
import { isSignedIn, returnFromLogout } from '../../support/logout-request.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
  await flow.signIn();
});
afterEach(() => flow.close());

describe('oidcc-client-test-rp-init-logout', () => {
  it('sends hint, client, return URI and state to the OP, and comes back signed out', async () => {
    const sent = (): Record<string, string> => flow.op.lastRequest('/end_session').parameters;
    expect(await returnFromLogout(flow, () => undefined)).toEqual([200, undefined]);
    expect(Object.keys(sent()).sort()).toEqual([
      'client_id',
      'id_token_hint',
      'post_logout_redirect_uri',
      'state',
    ]);
    expect(await isSignedIn(flow)).toBe(false);
  });
});
