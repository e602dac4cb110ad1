import { afterEach, describe, expect, it } from '@jest/globals';
import { createSealer } from '../../lib/tokens/seal.ts';
import { type Arrival, Browser, type Hop } from '../support/browser.ts';
import { errorCode, type Flow, sealingSecret, startFlow } from '../support/flow.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

/** A login up to its callback: everything but the last steps. */
async function upToCallback(browser: Browser, part: string): Promise<Hop> {
  const { next } = await browser.navigate(`${flow.baseUrl}/private`, (hop) =>
    hop.url.includes(part),
  );
  if (next === undefined) throw new Error('no callback');
  return next;
}

/** Makes a callback that is refused for want of its transaction: a new login begins in its place. */
async function refuse(browser: Browser, callback: Hop): Promise<void> {
  const [tokens, keys] = [flow.op.count('/token'), await flow.storeKeys()];
  let arrival: Arrival | undefined;
  const codes = await publishedErrors('refusal', async () => {
    arrival = await browser.navigate(callback, ({ url }) => url.startsWith(flow.op.issuer));
  });
  expect(codes).toEqual(['ERR_OIDC_TRANSACTION_UNKNOWN']);
  expect(new URL(arrival?.next?.url ?? '').pathname).toBe('/authorize');
  expect(flow.op.count('/token')).toBe(tokens);
  expect(await flow.storeKeys()).toEqual(keys);
}

const txCookie = async (browser: Browser): Promise<string> =>
  (await browser.cookieNames(flow.baseUrl)).find((name) => name.includes('.tx.')) ?? '';

describe('RFC 9700 4.7 a login belongs to the browser that began it', () => {
  it.each(['/callback', '/callback?oidc_response='])(
    'a callback (%s) in another browser is refused',
    async (part) => {
      flow = await startFlow();
      const attacker = new Browser();
      const victim = new Browser();
      const callback = await upToCallback(attacker, part);
      await refuse(victim, callback);
      expect(await victim.cookieNames(flow.baseUrl)).toEqual([expect.stringContaining('.tx.')]);
    },
  );

  it('a callback with the answer of another login is refused', async () => {
    flow = await startFlow({ oidc: { responseType: 'code' } });
    const attacker = await upToCallback(new Browser(), '/callback');
    const own = await upToCallback(flow.browser, '/callback');
    const mixed = new URL(own.url);
    mixed.searchParams.set('code', new URL(attacker.url).searchParams.get('code') ?? '');
    // The OP itself refuses the code, as it belongs to another code_challenge.
    const arrival = await flow.browser.navigate({ ...own, url: mixed.href });
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_GRANT_REFUSED']);
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('the browser that began it signs in', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });
});

describe('a transaction', () => {
  it('is used once: its cookie is deleted, and the code is not spent again', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    await flow.browser.navigate(callback);
    expect(await txCookie(flow.browser)).toBe('');
    expect(flow.op.count('/token')).toBe(1);
    // Signed in already: an old answer does no harm, and no good.
    const again = await flow.browser.navigate(callback);
    expect(again).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(flow.op.count('/token')).toBe(1);
  });

  it('that was used is unknown to a visitor who is not signed in', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    await flow.browser.navigate(callback);
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    await refuse(flow.browser, callback);
  });

  it('is used by a login that fails, too', async () => {
    flow = await startFlow();
    flow.op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    await flow.signIn();
    expect(await txCookie(flow.browser)).toBe('');
  });

  it('expires by the clock of the server', async () => {
    flow = await startFlow({ oidc: { transactionTtlSeconds: 30 } });
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    flow.clock.advance(31);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_EXPIRED']);
    expect(flow.op.count('/token')).toBe(0);
  });

  it.each([
    ['was cut', (value: string) => value.slice(0, -2)],
    [
      'was changed',
      (value: string) =>
        value.replace(/.(.{20})$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end.slice(1)),
    ],
    ['has another time', (value: string) => value.replace(/^[^.]*/, 'zzzzzz')],
    ['has no seal', (value: string) => value.split('.')[0] ?? ''],
    ['is empty', () => ''],
  ])('whose cookie %s is refused', async (_how, change) => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    const name = await txCookie(flow.browser);
    const [cookie] = (await flow.browser.jar.getCookies(flow.baseUrl)).filter(
      ({ key }) => key === name,
    );
    await flow.browser.jar.setCookie(
      `${name}=${change(cookie?.value ?? '')}; Path=/`,
      flow.baseUrl,
    );
    await refuse(flow.browser, callback);
  });

  it('of another state under the name of this one is refused', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    const name = await txCookie(flow.browser);
    const [cookie] = (await flow.browser.jar.getCookies(flow.baseUrl)).filter(
      ({ key }) => key === name,
    );
    const [time = '', sealed = ''] = (cookie?.value ?? '').split('.');
    const sealer = createSealer([sealingSecret]);
    const purpose = JSON.stringify(['transaction', flow.op.issuer, 'client', name, time]);
    const fields = JSON.parse(sealer.open(sealed, purpose) ?? '[]');
    fields[1] = 'another state';
    const forged = `${time}.${sealer.seal(JSON.stringify(fields), purpose)}`;
    await flow.browser.jar.setCookie(`${name}=${forged}; Path=/`, flow.baseUrl);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_STATE_MISMATCH']);
  });
});

describe('the sealed answer of the second hop', () => {
  it('is refused after 60 seconds', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    flow.clock.advance(61);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
  });

  it('is refused when it was changed, and the login can still be completed', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    const url = callback.url.replace(/oidc_response=./, 'oidc_response=_');
    const arrival = await flow.browser.navigate({ ...callback, url });
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });

  it('of another flow, with the same secret, is refused', async () => {
    flow = await startFlow();
    const callback = await upToCallback(flow.browser, '/callback?oidc_response=');
    const other = await startFlow({ oidc: { clientId: 'other' } });
    const url = callback.url.replace(flow.baseUrl, other.baseUrl);
    const arrival = await flow.browser.navigate({ ...callback, url });
    expect(errorCode(arrival)).toBe('ERR_OIDC_RESPONSE_SEAL');
    await other.close();
  });
});
