import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const query = (parameters: Record<string, string>): string =>
  new URLSearchParams(parameters).toString();

describe('oidcc-client-test-3rd-party-init-login', () => {
  it('a link of the OP to the login route begins a login at this OP', async () => {
    flow = await startFlow();
    const arrival = await flow.browser.navigate({
      method: 'GET',
      url: `${flow.baseUrl}/login?${query({ iss: flow.op.issuer })}`,
      from: 'https://portal.example',
    });
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(flow.op.count('/authorize')).toBe(1);
  });

  it('leads nowhere else: no other OP, no target outside (Core 4)', async () => {
    flow = await startFlow();
    const arrival = await flow.browser.navigate({
      method: 'GET',
      url: `${flow.baseUrl}/login?${query({
        iss: 'https://evil.example',
        target_link_uri: 'https://evil.example/',
        return_to: 'https://evil.example/',
      })}`,
      from: 'https://evil.example',
    });
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(arrival.history.every(({ url }) => !url.startsWith('https://evil.example'))).toBe(true);
  });
});
