import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LyingOp } from '../../../lib/testing/lying-op.ts';
import type { Hop } from '../../support/browser.ts';
import { errorCode, type Flow } from '../../support/flow.ts';
import { expectUnknown, responseOf, upTo, withResponse } from '../../support/half-login.ts';
import { startTwoFlows } from '../../support/two-flows.ts';

// The first OP is honest. The second belongs to the attacker, who wants the code of the first: the
// login is begun at the second, which sends the browser to the first under the first one's client.

let flow: Flow;
let attacker: LyingOp;
afterEach(async () => {
  await flow.close();
  await attacker.stop();
});

async function start(responseType: 'code' | 'code id_token' | 'code token'): Promise<void> {
  ({ flow, second: attacker } = await startTwoFlows({ responseType, responseMode: 'form_post' }));
  expect(await flow.signIn(flow.browser, '/second')).toMatchObject({ status: 200 });
  expect(await flow.signIn()).toMatchObject({ status: 200 });
  attacker.requests = [];
  flow.op.requests = [];
  await flow.browser.jar.removeAllCookies();
}

/** The answer of the honest OP to the request that the attacker sent on, at some callback. */
async function mixUp(callback: string): Promise<Hop> {
  const begun = await upTo(flow, attacker.issuer, flow.browser, '/second');
  const sentOn = new URL(begun.url.replace(attacker.issuer, flow.op.issuer));
  sentOn.searchParams.set('redirect_uri', `${flow.baseUrl}${callback}`);
  const { next } = await flow.browser.navigate(
    { ...begun, url: sentOn.href },
    ({ url }) => !url.startsWith(flow.op.issuer),
  );
  if (next === undefined) throw new Error('the OP has not answered');
  return next;
}

/** Nobody gets the code, and nobody is signed in. */
async function expectRefused(callback: Hop, code: string): Promise<void> {
  const arrival = await flow.browser.navigate(callback);
  expect([arrival.status, errorCode(arrival)]).toEqual([400, code]);
  expect([attacker.count('/token'), flow.op.count('/token')]).toEqual([0, 0]);
  expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
}

describe('RFC 9700 4.4 mix-up, by the callback of the honest OP', () => {
  beforeEach(() => start('code'));

  it.each(['with', 'without'])('%s the iss parameter: there is no such login', async (how) => {
    const callback = await mixUp('/callback');
    const response = responseOf(callback);
    if (how === 'without') response.delete('iss');
    await expectUnknown(flow, withResponse(callback, response));
    expect(attacker.count('/token')).toBe(0);
  });
});

describe('RFC 9207 2.4 mix-up, by the callback of the attacker', () => {
  it.each(['code', 'code token'] as const)('"%s": iss names the other OP', async (type) => {
    await start(type);
    await expectRefused(await mixUp('/second/callback'), 'ERR_OIDC_ISS_MISMATCH');
  });

  it.each(['code', 'code token'] as const)(
    '"%s": an answer whose iss was taken away is refused, as the OP promises one',
    async (type) => {
      await start(type);
      const callback = await mixUp('/second/callback');
      const response = responseOf(callback);
      response.delete('iss');
      await expectRefused(withResponse(callback, response), 'ERR_OIDC_ISS_MISSING');
    },
  );

  it.each(['with', 'without'])('"code id_token", %s iss: its key is foreign', async (how) => {
    await start('code id_token');
    const callback = await mixUp('/second/callback');
    const response = responseOf(callback);
    if (how === 'without') response.delete('iss');
    await expectRefused(withResponse(callback, response), 'ERR_OIDC_ID_TOKEN_KEY');
  });
});
