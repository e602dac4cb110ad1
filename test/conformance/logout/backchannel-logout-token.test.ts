import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { subscribe } from 'passport-oidc-hybrid';
import type { IdTokenLie } from '../../../lib/testing/lies.ts';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { postLogoutToken } from '../../support/logout-request.ts';

let flow: Flow;
let codes: string[];
let unsubscribe: () => void;
beforeEach(() => {
  codes = [];
  unsubscribe = subscribe('error', ({ error }) => void codes.push(error.code));
});
afterEach(async () => {
  unsubscribe();
  await flow.close();
});

async function start(): Promise<void> {
  flow = await startFlow({ oidc: { backchannelLogout: true } });
  flow.op.claims = { sid: 'of the OP' };
  await flow.signIn();
}

const isSignedIn = async (): Promise<boolean> =>
  (await flow.browser.fetch(`${flow.baseUrl}/api/x`)).status === 200;

const past = 1_000_000;
const future = 9_999_999_999;

describe('Back-Channel Logout 2.6 a Logout Token', () => {
  it.each<[string, IdTokenLie]>([
    ['is as the specification has it', {}],
    ['has sub and sid', { claims: { sid: 'of the OP' } }],
    ['has sid alone', { claims: { sub: undefined, sid: 'of the OP' } }],
    ['has several audiences', { claims: { aud: ['other', 'client'] } }],
    ['has no type', { header: { typ: undefined } }],
    ['has the type JWT', { header: { typ: 'JWT' } }],
    ['has the whole media type', { header: { typ: 'application/logout+jwt' } }],
    ['has further claims and events', { claims: { x: 1, events: { ...events(), other: {} } } }],
  ])('that %s ends the session', async (_what, lie) => {
    await start();
    expect(await isSignedIn()).toBe(true);
    const answer = await postLogoutToken(flow, lie);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(await isSignedIn()).toBe(false);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it.each<[string, IdTokenLie, string]>([
    ['is no JWT', { raw: 'x' }, 'LOGOUT_TOKEN_MALFORMED'],
    ['is not signed', { signedWith: 'none' }, 'LOGOUT_TOKEN_ALG'],
    ['is signed by the client secret', { signedWith: 'client_secret' }, 'LOGOUT_TOKEN_ALG'],
    ['is signed by a foreign key', { signedWith: 'foreign_key' }, 'LOGOUT_TOKEN_SIGNATURE'],
    ['has an unknown kid', { header: { kid: 'unknown' } }, 'LOGOUT_TOKEN_KEY'],
    ['is of another type', { header: { typ: 'at+jwt' } }, 'LOGOUT_TOKEN_TYP'],
    ['has another iss', { claims: { iss: 'https://evil.example' } }, 'LOGOUT_TOKEN_ISS'],
    ['has no iss', { claims: { iss: undefined } }, 'LOGOUT_TOKEN_ISS'],
    ['has another aud', { claims: { aud: 'other' } }, 'LOGOUT_TOKEN_AUD'],
    ['has no aud', { claims: { aud: undefined } }, 'LOGOUT_TOKEN_AUD'],
    ['has no iat', { claims: { iat: undefined } }, 'LOGOUT_TOKEN_IAT'],
    ['has an iat in the future', { claims: { iat: future } }, 'LOGOUT_TOKEN_IAT'],
    ['has no exp', { claims: { exp: undefined } }, 'LOGOUT_TOKEN_EXP'],
    ['has an exp that has passed', { claims: { exp: past } }, 'LOGOUT_TOKEN_EXP'],
    ['has no events', { claims: { events: undefined } }, 'LOGOUT_TOKEN_EVENTS'],
    ['has another event', { claims: { events: { other: {} } } }, 'LOGOUT_TOKEN_EVENTS'],
    [
      'has an event that is no object',
      { claims: { events: { [logoutEvent()]: true } } },
      'LOGOUT_TOKEN_EVENTS',
    ],
    ['has a list of events', { claims: { events: [logoutEvent()] } }, 'LOGOUT_TOKEN_EVENTS'],
    ['has a nonce', { claims: { nonce: 'n' } }, 'LOGOUT_TOKEN_NONCE'],
    ['has no jti', { claims: { jti: undefined } }, 'LOGOUT_TOKEN_JTI'],
    ['has neither sub nor sid', { claims: { sub: undefined } }, 'LOGOUT_TOKEN_SUBJECT'],
    ['has a sub that is no text', { claims: { sub: 7 } }, 'LOGOUT_TOKEN_SUBJECT'],
    ['has a sid that is no text', { claims: { sid: '' } }, 'LOGOUT_TOKEN_SUBJECT'],
  ])('that %s is refused', async (_what, lie, check) => {
    await start();
    const answer = await postLogoutToken(flow, lie);
    expect(answer.status).toBe(400);
    expect(json(answer)['error']).toBe('invalid_request');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(codes[0]).toBe(`ERR_OIDC_${check}`);
    expect(await isSignedIn()).toBe(true);
  });

  it('that comes twice is refused, and ends no later login', async () => {
    await start();
    const token = await flow.op.logoutToken();
    expect((await postLogoutToken(flow, { raw: token })).status).toBe(200);
    flow.clock.advance(1);
    await flow.signIn();
    const again = await postLogoutToken(flow, { raw: token });
    expect(again.status).toBe(400);
    expect(codes[0]).toBe('ERR_OIDC_LOGOUT_TOKEN_REPLAYED');
    expect(await isSignedIn()).toBe(true);
  });
});

function logoutEvent(): string {
  return 'http://schemas.openid.net/event/backchannel-logout';
}

function events(): object {
  return { [logoutEvent()]: {} };
}
