import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser, type Hop } from '../../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';
import { responseOf, upTo, withResponse } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

/** One's own answer with some parameters of somebody else's login. */
async function substitute(
  names: readonly string[],
  responseType: 'code token' | 'code id_token token' = 'code id_token token',
): Promise<{ own: Hop; changed: Hop }> {
  flow = await startFlow({ oidc: { responseType } });
  flow.op.subject = 'eve';
  const foreign = responseOf(await upTo(flow, '/callback', new Browser()));
  flow.op.subject = 'ada';
  const own = await upTo(flow, '/callback');
  const response = responseOf(own);
  for (const name of names) response.set(name, foreign.get(name) ?? '');
  return { own, changed: withResponse(own, response) };
}

describe('RFC 9700 4.6 tokens of another login in "code id_token token"', () => {
  it.each([
    ['the access token', ['access_token'], 'AT_HASH_MISMATCH'],
    ['the ID Token', ['id_token'], 'C_HASH_MISMATCH'],
    ['both tokens', ['id_token', 'access_token'], 'C_HASH_MISMATCH'],
    ['both tokens and the code', ['id_token', 'access_token', 'code'], 'S_HASH_MISMATCH'],
    ['the code', ['code'], 'C_HASH_MISMATCH'],
  ])('%s: refused', async (_what, names, code) => {
    const { own, changed } = await substitute(names);
    const arrival = await flow.browser.navigate(changed);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, `ERR_OIDC_${code}`]);
    expect(await flow.storeKeys()).toEqual([]);
    expect(flow.op.count('/token')).toBe(0);
    // The first hop reads no cookie, so nothing was used up.
    expect(json(await flow.browser.navigate(own))).toMatchObject({ sub: 'ada' });
  });

  it.each(['code token', 'code id_token token'] as const)(
    '"%s": the access token of the front channel is never used',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType } });
      const arrival = await flow.signIn();
      expect(json(arrival)).toMatchObject({
        authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
      });
    },
  );

  it('"code token": a foreign access token signs in with the tokens of the code alone', async () => {
    const { changed } = await substitute(['access_token'], 'code token');
    expect(json(await flow.browser.navigate(changed))).toMatchObject({
      sub: 'ada',
      authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
    });
  });
});
