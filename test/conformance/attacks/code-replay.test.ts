import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';
import { expectUnknown, upTo } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

const txCookies = async (): Promise<string[]> =>
  (await flow.browser.cookieNames(flow.baseUrl)).filter((name) => name.includes('.tx.'));

/** The callbacks that can come again: the form, its second hop, and a query. */
const callbacks = [
  ['the form', 'code id_token', '/callback'],
  ['the second hop', 'code id_token', '/callback?oidc_response='],
  ['a query', 'code', '/callback?'],
] as const;

describe('RFC 9700 4.5 an answer that comes again', () => {
  it.each(callbacks)('%s, to who is signed in: the return path, nothing spent', async (...row) => {
    const [, responseType, part] = row;
    flow = await startFlow({ oidc: { responseType } });
    const callback = await upTo(flow, part, flow.browser, '/private?page=2');
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
    expect(await txCookies()).toEqual([]);
    const before = await flow.storeKeys();
    for (let round = 0; round < 2; round += 1) {
      expect(await flow.browser.navigate(callback)).toMatchObject({
        status: 200,
        url: `${flow.baseUrl}/private?page=2`,
      });
    }
    expect(flow.op.count('/token')).toBe(1);
    expect(await flow.storeKeys()).toEqual(before);
  });

  it.each(callbacks)('%s, later: the start page, nothing spent', async (...row) => {
    const [, responseType, part] = row;
    flow = await startFlow({ oidc: { responseType } });
    const callback = await upTo(flow, part);
    await flow.browser.navigate(callback);
    flow.clock.advance(61);
    // What this process remembers of logins it forgets at the next one.
    await flow.signIn(new Browser());
    expect(await flow.browser.navigate(callback)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/`,
    });
    expect(flow.op.count('/token')).toBe(2);
  });

  it.each(callbacks)('%s, to who has signed out: refused', async (_name, responseType, part) => {
    flow = await startFlow({ oidc: { responseType } });
    const callback = await upTo(flow, part);
    await flow.browser.navigate(callback);
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    await expectUnknown(flow, callback);
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({ claims: null });
  });

  it('a login that fails uses its transaction, too', async () => {
    flow = await startFlow();
    flow.op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    const callback = await upTo(flow, '/callback?oidc_response=');
    expect(errorCode(await flow.browser.navigate(callback))).toBe('ERR_OIDC_ID_TOKENS_SUB');
    expect(await txCookies()).toEqual([]);
    flow.op.honest();
    await expectUnknown(flow, callback);
  });
});
