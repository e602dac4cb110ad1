import { afterEach, describe, expect, it } from '@jest/globals';
import { createSealer } from '../../../lib/tokens/seal.ts';
import { startClock } from '../../support/clock.ts';
import { errorCode, type Flow, sealingSecret, startFlow } from '../../support/flow.ts';
import { responseOf, upTo, withResponse } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

const secondHop = '/callback?oidc_response=';

describe('the sealed answer of the second hop', () => {
  it.each([
    ['was changed', (sealed: string) => `_${sealed.slice(1)}`],
    ['was cut', (sealed: string) => sealed.slice(0, -1)],
    ['is empty', () => ''],
    ['is JSON in clear', () => '[9999999999,{"mode":"form_post","state":"s"}]'],
    ['was sealed by another secret', (sealed: string) => resealed(sealed, 'x'.repeat(32))],
    ['was sealed for another purpose', (sealed: string) => resealed(sealed, sealingSecret, 'x')],
  ])('that %s is refused, and the login can still be completed', async (_how, change) => {
    flow = await startFlow();
    const callback = await upTo(flow, secondHop);
    const sealed = responseOf(callback).get('oidc_response') ?? '';
    const forged = withResponse(callback, new URLSearchParams({ oidc_response: change(sealed) }));
    const arrival = await flow.browser.navigate(forged);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
    expect(flow.op.count('/token')).toBe(0);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });

  it('is good to the last of 60 seconds', async () => {
    flow = await startFlow({ clock: startClock(1_800_000_000_000) });
    const callback = await upTo(flow, secondHop);
    flow.clock.advance(60);
    expect(await flow.browser.navigate(callback)).toMatchObject({ status: 200 });
  });

  it('is refused after 60 seconds', async () => {
    flow = await startFlow();
    const callback = await upTo(flow, secondHop);
    flow.clock.advance(61);
    const arrival = await flow.browser.navigate(callback);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
  });

  it('of another flow, with the same secret, is refused', async () => {
    flow = await startFlow();
    const callback = await upTo(flow, secondHop);
    const other = await startFlow({ oidc: { clientId: 'other' } });
    const url = callback.url.replace(flow.baseUrl, other.baseUrl);
    const arrival = await flow.browser.navigate({ ...callback, url });
    expect(errorCode(arrival)).toBe('ERR_OIDC_RESPONSE_SEAL');
    await other.close();
  });

  it('decides alone: parameters beside it are not read', async () => {
    flow = await startFlow();
    const callback = await upTo(flow, secondHop);
    const url = `${callback.url}&code=injected&error=access_denied&state=other&iss=other`;
    expect(await flow.browser.navigate({ ...callback, url })).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/token').parameters['code']).not.toBe('injected');
  });
});

/** The content of a sealed answer, sealed once more. */
function resealed(sealed: string, secret: string, purpose?: string): string {
  const right = JSON.stringify(['authorization response', flow.op.issuer, 'client']);
  const text = createSealer([sealingSecret]).open(sealed, right) ?? '';
  return createSealer([secret]).seal(text, purpose ?? right);
}
