import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import type { IdTokenLie, Lies } from '../../lib/testing/lies.ts';
import { type Arrival, Browser } from './browser.ts';
import { errorCode, type Flow, startFlow } from './flow.ts';

/** One row: what the OP does, how it does it, and the end of the code that refuses it. */
export type RefusedLie = readonly [what: string, lie: IdTokenLie, code: string];

/** A place where a response type brings an ID Token. */
export interface Channel {
  readonly name: string;
  readonly oidc: Partial<CommonOptions>;
  readonly place: 'frontIdToken' | 'backIdToken';
}

const channel = (
  responseType: 'code' | 'code id_token' | 'code token' | 'code id_token token',
  place: Channel['place'],
): Channel => ({
  name: `"${responseType}", ${place === 'frontIdToken' ? 'front channel' : 'token endpoint'}`,
  oidc: { responseType, responseMode: 'form_post' },
  place,
});

/** Every ID Token of every response type: one from the front channel, one from the token endpoint. */
export const channels: readonly Channel[] = [
  channel('code', 'backIdToken'),
  channel('code token', 'backIdToken'),
  channel('code id_token', 'frontIdToken'),
  channel('code id_token', 'backIdToken'),
  channel('code id_token token', 'frontIdToken'),
  channel('code id_token token', 'backIdToken'),
];

/** Those in which an ID Token comes beside the code. */
export const frontChannels: readonly Channel[] = channels.filter(
  ({ place }) => place === 'frontIdToken',
);

/** Those in which an ID Token comes beside an access token. */
export const besideAccessToken: readonly Channel[] = frontChannels.filter(({ name }) =>
  name.includes('id_token token'),
);

/** Those in which an ID Token comes from the token endpoint. */
export const tokenEndpoint: readonly Channel[] = channels.filter(
  ({ place }) => place === 'backIdToken',
);

/**
 * Signs in at an honest OP, then at one that differs by these lies alone, and expects the second
 * login to be refused: with this code and status, a page with a way to go on, no session, and
 * nothing for the application to handle.
 */
export async function expectRefusal(
  flow: Flow,
  lies: Lies,
  code: string,
  status = 400,
): Promise<Arrival> {
  flow.op.honest();
  expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
  const keys = await flow.storeKeys();
  flow.op.lie(lies);
  const browser = new Browser();
  const arrival = await flow.signIn(browser);
  flow.op.honest();
  expect([arrival.status, errorCode(arrival)]).toEqual([status, `ERR_OIDC_${code}`]);
  expect(arrival.text).toMatch(/<a class="main" href="[^"]*\/login[^"]*">Sign in again<\/a>/);
  expect(await flow.storeKeys()).toEqual(keys);
  expect(await browser.cookieNames(flow.baseUrl)).not.toContain('connect.sid');
  expect(flow.errors).toEqual([]);
  return arrival;
}

/** One test for each lie in each ID Token. */
export function describeRefusals(
  rows: readonly RefusedLie[],
  { in: where = channels, alg }: { in?: readonly Channel[]; alg?: string } = {},
): void {
  describe.each(where)('$name', ({ oidc, place }) => {
    let flow: Flow;
    beforeAll(async () => {
      flow = await startFlow({ oidc });
      if (alg !== undefined) await flow.op.rotateKeys(alg);
    });
    afterAll(() => flow.close());

    it.each(rows)('refuses %s', async (_what, lie, code) => {
      await expectRefusal(flow, { [place]: lie }, code);
    });
  });
}

/** One test for each habit of OPs that has to be accepted, in each ID Token. */
export function describeAcceptance(
  rows: readonly (readonly [what: string, lie: IdTokenLie])[],
  { in: where = channels, alg }: { in?: readonly Channel[]; alg?: string } = {},
): void {
  describe.each(where)('$name', ({ oidc, place }) => {
    let flow: Flow;
    beforeAll(async () => {
      flow = await startFlow({ oidc });
      if (alg !== undefined) await flow.op.rotateKeys(alg);
    });
    afterAll(() => flow.close());

    it.each(rows)('accepts %s', async (_what, lie) => {
      flow.op.honest();
      flow.op.lie({ [place]: lie });
      expect(await flow.signIn(new Browser())).toMatchObject({ status: 200 });
    });
  });
}
