import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('RFC 9700 4.8 a discovery document that talks of less than S256', () => {
  it.each([[['S256']], [['plain']], [[]], [undefined]])('changes nothing: %j', async (listed) => {
    flow = await startFlow();
    flow.op.lie({
      discovery: { json: (body) => ({ ...body, code_challenge_methods_supported: listed }) },
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
    const { code_verifier } = flow.op.lastRequest('/token').parameters;
    expect(code_verifier).toMatch(/^[\w-]{43}$/);
    expect(code_verifier).not.toBe(flow.op.lastRequest('/authorize').parameters['code_challenge']);
  });
});
