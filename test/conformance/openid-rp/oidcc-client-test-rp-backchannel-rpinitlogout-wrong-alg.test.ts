import { afterEach, describe, expect, it } from '@jest/globals';
import {
  expectLogoutTokenRefused,
  startTwoSessions,
  type TwoSessions,
} from '../../support/logout-request.ts';
import { publishedErrors } from '../../support/published-errors.ts';

let sessions: TwoSessions;
afterEach(() => sessions.flow.close());

describe('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg', () => {
  it('refuses a Logout Token with HS256 by the client secret (Back-Channel Logout 2.6 (2))', async () => {
    sessions = await startTwoSessions();
    const codes = await publishedErrors('error', () =>
      expectLogoutTokenRefused(sessions, { signedWith: 'client_secret' }),
    );
    expect(codes).toEqual(['ERR_OIDC_LOGOUT_TOKEN_ALG']);
  });
});
