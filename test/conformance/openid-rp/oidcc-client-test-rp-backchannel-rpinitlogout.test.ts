import { afterEach, describe, expect, it } from '@jest/globals';
import {
  isSignedIn,
  logOutWhile,
  opSession,
  postLogoutToken,
  startTwoSessions,
  type TwoSessions,
} from '../../support/logout-request.ts';

let sessions: TwoSessions;
afterEach(() => sessions.flow.close());

describe('oidcc-client-test-rp-backchannel-rpinitlogout', () => {
  it('ends the other sessions of the sid, while the logout of this one goes on', async () => {
    sessions = await startTwoSessions();
    const { flow, other } = sessions;
    const answer = await logOutWhile(flow, () =>
      postLogoutToken(flow, { claims: { sid: opSession } }),
    );
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await isSignedIn(flow, other)).toBe(false);
    expect(await flow.loginKeys()).toEqual([]);
  });
});
