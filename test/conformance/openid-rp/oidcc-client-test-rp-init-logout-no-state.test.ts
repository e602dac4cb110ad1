import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';
import { isSignedIn, returnFromLogout } from '../../support/logout-request.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
  await flow.signIn();
});
afterEach(() => flow.close());

describe('oidcc-client-test-rp-init-logout-no-state', () => {
  it('refuses a return without a state; the login has ended all the same', async () => {
    expect(await returnFromLogout(flow, (query) => query.delete('state'))).toEqual([
      400,
      'ERR_OIDC_LOGOUT_STATE',
    ]);
    expect(await isSignedIn(flow)).toBe(false);
  });
});
