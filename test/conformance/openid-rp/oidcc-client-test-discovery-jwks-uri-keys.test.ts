import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-discovery-jwks-uri-keys', () => {
  it('the keys are fetched from jwks_uri, and verify the ID Tokens', async () => {
    flow = await startFlow();
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(1);
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    flow.op.lie({ frontIdToken: { signedWith: 'foreign_key' } });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_SIGNATURE');
  });
});
