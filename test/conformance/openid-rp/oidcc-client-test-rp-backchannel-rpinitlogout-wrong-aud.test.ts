import { afterEach, describe, expect, it } from '@jest/globals';
import {
  expectLogoutTokenRefused,
  startTwoSessions,
  type TwoSessions,
} from '../../support/logout-request.ts';
import { publishedErrors } from '../../support/published-errors.ts';

let sessions: TwoSessions;
afterEach(() => sessions.flow.close());

describe('oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud', () => {
  it('refuses a Logout Token with another aud (Back-Channel Logout 2.6 (3))', async () => {
    sessions = await startTwoSessions();
    const codes = await publishedErrors('error', () =>
      expectLogoutTokenRefused(sessions, { claims: { aud: 'other' } }),
    );
    expect(codes).toEqual(['ERR_OIDC_LOGOUT_TOKEN_AUD']);
  });
});
