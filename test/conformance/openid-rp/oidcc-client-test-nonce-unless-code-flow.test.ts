import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';
import { profiles } from '../../support/profiles.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-nonce-unless-code-flow', () => {
  it.each(profiles)('"%s" by %s sends a nonce', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    await flow.signIn();
    const { nonce = '' } = flow.op.lastRequest('/authorize').parameters;
    expect(Buffer.from(nonce, 'base64url')).toHaveLength(32);
  });
});
