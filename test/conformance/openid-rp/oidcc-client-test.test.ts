import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Certification profiles: Basic, Form Post Basic, Hybrid by form_post. */
const profiles = [
  ['code', 'query'],
  ['code', 'form_post'],
  ['code id_token', 'form_post'],
  ['code token', 'form_post'],
  ['code id_token token', 'form_post'],
] as const;

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

describe('oidcc-client-test-nonce-unless-code-flow', () => {
  it.each(profiles)('"%s" by %s sends a nonce', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    await flow.signIn();
    const { nonce = '' } = flow.op.lastRequest('/authorize').parameters;
    expect(Buffer.from(nonce, 'base64url')).toHaveLength(32);
  });
});

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
