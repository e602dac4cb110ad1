import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  isSignedIn,
  logOutWhile,
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

describe('oidcc-client-test-rp-frontchannel-rpinitlogout', () => {
  it('ends the other sessions of the sid, while the logout of this one goes on', async () => {
    sessions = await startTwoSessions();
    const { flow, other } = sessions;
    expect(await logOutWhile(flow, () => loadFrame())).toBe(200);
    expect(await isSignedIn(flow, other)).toBe(false);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it('ends no other session where the frame names another issuer', async () => {
    sessions = await startTwoSessions();
    const { flow, other } = sessions;
    expect(await logOutWhile(flow, () => loadFrame('https://evil.example'))).toBe(400);
    expect(await isSignedIn(flow, other)).toBe(true);
  });
});
