import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
});
afterEach(() => flow.close());

const login = (): ReturnType<Browser['navigate']> => flow.signIn(new Browser());

describe('oidcc-client-test-signing-key-rotation', () => {
  it('a second login goes by the new key, at once', async () => {
    expect(await login()).toMatchObject({ status: 200 });
    await flow.op.rotateKeys();
    expect(await login()).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(2);
  });

  it('of another algorithm is followed once discovery says so', async () => {
    expect(await login()).toMatchObject({ status: 200 });
    await flow.op.rotateKeys('RS256');
    expect(errorCode(await login())).toBe('ERR_OIDC_ID_TOKEN_ALG');
    flow.clock.advance(3601);
    await login();
    while (flow.op.count('/.well-known/openid-configuration') < 2) await login();
    expect(await login()).toMatchObject({ status: 200 });
  });
});
