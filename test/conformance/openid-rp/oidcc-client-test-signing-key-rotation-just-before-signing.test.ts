import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
});
afterEach(() => flow.close());

describe('oidcc-client-test-signing-key-rotation-just-before-signing', () => {
  it('the keys fetched at the beginning of the login are fetched again', async () => {
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
      url.startsWith(flow.op.issuer),
    );
    await flow.op.rotateKeys();
    expect(next === undefined ? undefined : await flow.browser.navigate(next)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/private`,
    });
    expect(flow.op.count('/jwks')).toBe(2);
  });
});
