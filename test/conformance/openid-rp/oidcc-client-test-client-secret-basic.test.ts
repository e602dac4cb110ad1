import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-client-secret-basic', () => {
  it('sends the credentials in the header, and not in the body', async () => {
    flow = await startFlow({ oidc: { tokenEndpointAuthMethod: 'client_secret_basic' } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const { headers, parameters } = flow.op.lastRequest('/token');
    expect(headers.authorization).toMatch(/^Basic /);
    expect(Object.keys(parameters)).not.toContain('client_secret');
    expect(parameters['grant_type']).toBe('authorization_code');
  });

  it('with another secret signs nobody in', async () => {
    flow = await startFlow({
      oidc: { tokenEndpointAuthMethod: 'client_secret_basic', clientSecret: 'wrong' },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_CLIENT_REFUSED');
    expect(await flow.storeKeys()).toEqual([]);
  });
});
