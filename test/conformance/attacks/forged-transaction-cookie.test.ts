import { afterEach, describe, expect, it } from '@jest/globals';
import { createSealer } from '../../../lib/tokens/seal.ts';
import { Browser, type Hop } from '../../support/browser.ts';
import { errorCode, type Flow, sealingSecret, startFlow } from '../../support/flow.ts';
import { expectUnknown, upTo } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

/** A login before its second hop, and the cookie that holds its transaction. */
async function begin(
  browser = flow.browser,
): Promise<{ callback: Hop; name: string; value: string }> {
  const callback = await upTo(flow, '/callback?oidc_response=', browser);
  const cookies = await browser.jar.getCookies(flow.baseUrl);
  const cookie = cookies.find(({ key }) => key.includes('.tx.'));
  return { callback, name: cookie?.key ?? '', value: cookie?.value ?? '' };
}

const put = (name: string, value: string): Promise<unknown> =>
  flow.browser.jar.setCookie(`${name}=${value}; Path=/`, flow.baseUrl);

describe('a transaction cookie', () => {
  it.each([
    ['was cut', (value: string) => value.slice(0, -2)],
    ['was cut to its half', (value: string) => value.slice(0, value.length / 2)],
    [
      'was changed',
      (value: string) =>
        value.replace(/.(.{20})$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end.slice(1)),
    ],
    ['has another time', (value: string) => value.replace(/^[^.]*/, 'zzzzzz')],
    ['has no time', (value: string) => value.replace(/^[^.]*\./, '')],
    ['has no seal', (value: string) => value.split('.')[0] ?? ''],
    ['is empty', () => ''],
    ['is garbage', () => '%%%.%%%'],
    ['is very long', () => `0.${'A'.repeat(3000)}`],
    ['holds JSON in clear', () => encodeURIComponent('[1,"s","n","v"]')],
  ])('that %s is refused; as it was, it signs in', async (_how, change) => {
    flow = await startFlow();
    const { callback, name, value } = await begin();
    await put(name, change(value));
    await expectUnknown(flow, callback);
    await put(name, value);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });

  it('of another login, under the name of this one, is refused', async () => {
    flow = await startFlow();
    const other = await begin(new Browser());
    const { callback, name } = await begin();
    await put(name, other.value);
    await expectUnknown(flow, callback);
  });

  it('with another state inside, by who knows the secret, is refused', async () => {
    flow = await startFlow();
    const { callback, name, value } = await begin();
    const [time = '', sealed = ''] = value.split('.');
    const sealer = createSealer([sealingSecret]);
    const purpose = JSON.stringify(['transaction', flow.op.issuer, 'client', name, time]);
    const fields = JSON.parse(sealer.open(sealed, purpose) ?? '[]');
    fields[1] = 'another state';
    await put(name, `${time}.${sealer.seal(JSON.stringify(fields), purpose)}`);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_STATE_MISMATCH']);
  });

  it('sealed by another secret is refused', async () => {
    flow = await startFlow();
    const { callback, name, value } = await begin();
    const [time = '', sealed = ''] = value.split('.');
    const purpose = JSON.stringify(['transaction', flow.op.issuer, 'client', name, time]);
    const text = createSealer([sealingSecret]).open(sealed, purpose) ?? '';
    await put(name, `${time}.${createSealer(['another secret'.repeat(4)]).seal(text, purpose)}`);
    await expectUnknown(flow, callback);
  });

  it('that is too old by the clock of the server is refused, whatever the browser keeps', async () => {
    flow = await startFlow({ oidc: { transactionTtlSeconds: 30 } });
    const { callback } = await begin();
    flow.clock.advance(31);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_EXPIRED']);
    expect(flow.op.count('/token')).toBe(0);
  });
});
