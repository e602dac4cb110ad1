import { afterEach, describe, expect, it } from '@jest/globals';
import {
  expectLogoutTokenRefused,
  startTwoSessions,
  type TwoSessions,
} from '../../support/logout-request.ts';
import { publishedErrors } from '../../support/published-errors.ts';

let sessions: TwoSessions;
afterEach(() => sessions.flow.close());

describe('oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce', () => {
  it('refuses a Logout Token with a nonce (Back-Channel Logout 2.6 (6))', async () => {
    sessions = await startTwoSessions();
    const codes = await publishedErrors('error', () =>
      expectLogoutTokenRefused(sessions, { claims: { nonce: 'n' } }),
    );
    expect(codes).toEqual(['ERR_OIDC_LOGOUT_TOKEN_NONCE']);
  });
});
