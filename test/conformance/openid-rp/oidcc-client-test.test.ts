import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { profiles } from '../../support/profiles.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test', () => {
  it.each(profiles)('"%s" by %s ends signed in', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    const arrival = await flow.signIn();
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    expect(json(arrival)).toMatchObject({
      sub: 'ada',
      authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
    });
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      response_type: responseType,
      scope: expect.stringMatching(/^openid /),
      redirect_uri: `${flow.baseUrl}/callback`,
    });
    expect(flow.op.count('/token')).toBe(1);
  });
});

describe('RFC 7636 4.6 the verifier', () => {
  it.each(profiles)('"%s" by %s sends the one of its challenge', async (type, mode) => {
    flow = await startFlow({ oidc: { responseType: type, responseMode: mode } });
    await flow.signIn();
    const verifier = flow.op.lastRequest('/token').parameters['code_verifier'] ?? '';
    expect(flow.op.lastRequest('/authorize').parameters['code_challenge']).toBe(
      createHash('sha256').update(verifier).digest('base64url'),
    );
  });
});
