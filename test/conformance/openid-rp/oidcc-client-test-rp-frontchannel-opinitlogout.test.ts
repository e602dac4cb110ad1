import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  isSignedIn,
  opSession,
  startTwoSessions,
  type TwoSessions,
} from '../../support/logout-request.ts';

let sessions: TwoSessions;
afterEach(() => sessions.flow.close());

/** The frame in the OP's page, for which browsers withhold the session cookie. */
const loadFrame = async (iss = sessions.flow.op.issuer): Promise<number> => {
  const query = { iss, sid: opSession };
  return (await request(sessions.flow.baseUrl).get('/frontchannel-logout').query(query)).status;
};

describe('oidcc-client-test-rp-frontchannel-opinitlogout', () => {
  it('ends every session of the sid, though nobody has logged out here', async () => {
    sessions = await startTwoSessions();
    const { flow, other } = sessions;
    expect(await loadFrame()).toBe(200);
    expect([await isSignedIn(flow), await isSignedIn(flow, other)]).toEqual([false, false]);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it('ends none where the frame names another issuer', async () => {
    sessions = await startTwoSessions();
    const { flow, other } = sessions;
    expect(await loadFrame('https://evil.example')).toBe(400);
    expect([await isSignedIn(flow), await isSignedIn(flow, other)]).toEqual([true, true]);
  });
});
