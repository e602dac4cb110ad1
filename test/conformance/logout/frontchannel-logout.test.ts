import { afterEach, describe, expect, it } from '@jest/globals';
import helmet from 'helmet';
import { subscribe } from 'passport-oidc-hybrid';
import request from 'supertest';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function start(): Promise<void> {
  flow = await startFlow({
    oidc: { frontchannelLogout: true },
    before: (app) => app.use(helmet()),
  });
  flow.op.claims = { sid: 'of the OP' };
  await flow.signIn();
}

/** The request of the frame, for which browsers withhold the session cookie. */
const frame = (query: Record<string, string | string[]>) =>
  request(flow.baseUrl).get('/frontchannel-logout').query(query);

const isSignedIn = async (): Promise<boolean> =>
  (await flow.browser.fetch(`${flow.baseUrl}/api/x`)).status === 200;

describe('Front-Channel Logout 2', () => {
  it('ends the session of the sid, without a cookie', async () => {
    await start();
    const answer = await frame({ iss: flow.op.issuer, sid: 'of the OP' });
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(await isSignedIn()).toBe(false);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it.each<[string, (issuer: string) => Record<string, string | string[]>, string]>([
    [
      'with another iss',
      () => ({ iss: 'https://evil.example', sid: 'of the OP' }),
      'ERR_OIDC_FRONTCHANNEL_ISS',
    ],
    ['without iss', () => ({ sid: 'of the OP' }), 'ERR_OIDC_FRONTCHANNEL_ISS'],
    ['without sid', (iss) => ({ iss }), 'ERR_OIDC_FRONTCHANNEL_SID'],
    ['with neither', () => ({}), 'ERR_OIDC_FRONTCHANNEL_ISS'],
    ['with an empty sid', (iss) => ({ iss, sid: '' }), 'ERR_OIDC_FRONTCHANNEL_SID'],
    ['with two sids', (iss) => ({ iss, sid: ['of the OP', 'x'] }), 'ERR_OIDC_FRONTCHANNEL_SID'],
    [
      'with two iss',
      (iss) => ({ iss: [iss, 'https://evil.example'], sid: 'of the OP' }),
      'ERR_OIDC_FRONTCHANNEL_ISS',
    ],
  ])('%s it is refused', async (_what, query, code) => {
    await start();
    const codes: string[] = [];
    const unsubscribe = subscribe('error', ({ error }) => void codes.push(error.code));
    expect((await frame(query(flow.op.issuer))).status).toBe(400);
    unsubscribe();
    expect(codes).toEqual([code]);
    expect(await isSignedIn()).toBe(true);
  });

  it('ends nothing of another sid', async () => {
    await start();
    expect((await frame({ iss: flow.op.issuer, sid: 'of another' })).status).toBe(200);
    expect(await isSignedIn()).toBe(true);
  });

  it('may be framed by the OP, though a default helmet forbids it, and is not cached', async () => {
    await start();
    const { headers } = await frame({ iss: flow.op.issuer, sid: 'x' });
    expect(headers).not.toHaveProperty('x-frame-options');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; frame-ancestors ${flow.op.issuer}`,
    });
  });

  it('is a 404 where the option is not set', async () => {
    flow = await startFlow();
    expect((await frame({ iss: flow.op.issuer, sid: 'x' })).status).toBe(404);
  });
});
