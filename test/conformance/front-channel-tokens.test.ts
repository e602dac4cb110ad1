import { afterEach, describe, expect, it } from '@jest/globals';
import { createRecordFormat } from '../../lib/tokens/record-format.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { type Flow, json, sealingSecret, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('RFC 9700 2.1.2 front-channel access tokens', () => {
  it.each(['code token', 'code id_token token'] as const)(
    'of "%s" go nowhere: not to the page, the API, a URL, a cookie or the store',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType } });
      const arrival = await flow.signIn();
      const api = await flow.browser.fetch(`${flow.baseUrl}/api/orders`);
      const [front = ''] = flow.op.accessTokens.front;
      const [back = ''] = flow.op.accessTokens.back;
      expect(front).not.toBe('');
      expect(json(api)).toMatchObject({ authorization: `Bearer ${back}` });

      const ours = arrival.history.filter(({ url }) => url.startsWith(flow.baseUrl));
      const sent = ours.map(({ text, headers, url }) => JSON.stringify([text, headers, url]));
      expect(sent.join()).not.toContain(front);
      expect(api.text).not.toContain(front);

      const [key = ''] = (await flow.storeKeys()).filter((name) => name.startsWith('oidc:'));
      const entry = await new Promise<Record<string, unknown>>((resolve) =>
        flow.store.get(key, (_error, found) => resolve({ ...found })),
      );
      const purpose = JSON.stringify([key, flow.op.issuer, 'client']);
      const bytes = createSealer([sealingSecret]).openBytes(String(entry['oidc']), purpose);
      const format = createRecordFormat({ issuer: flow.op.issuer, clientId: 'client' });
      const record = JSON.stringify(bytes && format.read(bytes));
      expect(record).toContain(back);
      expect(record).not.toContain(front);
    },
  );

  it('leave no token in the sealed response of the second hop', async () => {
    flow = await startFlow({ oidc: { responseType: 'code id_token token' } });
    const arrival = await flow.signIn();
    const hop = arrival.history.find(({ url }) => url.includes('/callback?oidc_response='));
    const sealed = new URL(hop?.url ?? '').searchParams.get('oidc_response') ?? '';
    const purpose = JSON.stringify(['authorization response', flow.op.issuer, 'client']);
    const text = createSealer([sealingSecret]).open(sealed, purpose) ?? '';
    expect(text).toContain('"code"');
    expect(text).not.toContain(String(flow.op.accessTokens.front[0]));
    expect(text).not.toContain('eyJ');
    expect(hop?.url.length).toBeLessThan(1000);
  });
});
