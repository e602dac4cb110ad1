import { afterEach, describe, expect, it } from '@jest/globals';
import type { AnswerLie } from '../../lib/testing/lies.ts';
import { errorCode, type Flow, type FlowSetup, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function signInWith(token: AnswerLie, setup?: FlowSetup): Promise<[number, unknown]> {
  flow = await startFlow(setup);
  flow.op.lie({ token });
  const arrival = await flow.signIn();
  expect(await flow.storeKeys()).toEqual([]);
  expect(flow.errors).toEqual([]);
  return [arrival.status, errorCode(arrival)];
}

describe('RFC 6749 5 the token endpoint', () => {
  it.each([
    ['an error', { status: 400, body: '{"error":"invalid_request"}' }, 502, 'TOKEN_ENDPOINT_ERROR'],
    ['invalid_grant', { status: 400, body: '{"error":"invalid_grant"}' }, 400, 'GRANT_REFUSED'],
    ['invalid_client', { status: 401, body: '{"error":"invalid_client"}' }, 502, 'CLIENT_REFUSED'],
    [
      'invalid_client as a challenge',
      {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="op", error="invalid_client"' },
        body: '',
      },
      502,
      'CLIENT_REFUSED',
    ],
    ['an error without a body', { status: 400, body: '' }, 502, 'PROVIDER_RESPONSE'],
    [
      'an error in HTML',
      { status: 400, headers: { 'content-type': 'text/html' }, body: '<h1>no</h1>' },
      502,
      'PROVIDER_RESPONSE',
    ],
    ['an outage', { status: 503, body: 'busy' }, 503, 'PROVIDER_UNAVAILABLE'],
    [
      'an outage that looks like a refusal',
      { status: 500, body: '{"error":"invalid_grant"}' },
      503,
      'PROVIDER_UNAVAILABLE',
    ],
    [
      'too many requests',
      { status: 429, body: '{"error":"slow_down"}' },
      503,
      'PROVIDER_UNAVAILABLE',
    ],
    ['no access token', { json: ({ access_token, ...body }) => body }, 502, 'PROVIDER_RESPONSE'],
    ['no token type', { json: ({ token_type, ...body }) => body }, 502, 'PROVIDER_RESPONSE'],
    [
      'another token type',
      { json: (body) => ({ ...body, token_type: 'mac' }) },
      502,
      'PROVIDER_RESPONSE',
    ],
    [
      'the token type of DPoP',
      { json: (body) => ({ ...body, token_type: 'DPoP' }) },
      400,
      'TOKEN_TYPE',
    ],
    ['no ID Token', { json: ({ id_token, ...body }) => body }, 400, 'ID_TOKEN_MISSING'],
    [
      'an ID Token that is no text',
      { json: (body) => ({ ...body, id_token: 1 }) },
      400,
      'ID_TOKEN_MALFORMED',
    ],
  ] as [string, AnswerLie, number, string][])(
    'that answers with %s ends no login',
    async (_lie, lie, status, code) => {
      expect(await signInWith(lie)).toEqual([status, `ERR_OIDC_${code}`]);
    },
  );

  it('that takes token_type in any case is served', async () => {
    flow = await startFlow();
    flow.op.lie({ token: { json: (body) => ({ ...body, token_type: 'bEARER' }) } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('that gives JSON another media type is served', async () => {
    flow = await startFlow();
    flow.op.lie({ token: { headers: { 'content-type': 'text/plain' } } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('gets the redirect URI that was sent, the verifier, and nothing of the front channel', async () => {
    flow = await startFlow({ oidc: { responseType: 'code id_token token' } });
    await flow.signIn();
    const { parameters } = flow.op.lastRequest('/token');
    expect(Object.keys(parameters).sort()).toEqual([
      'code',
      'code_verifier',
      'grant_type',
      'redirect_uri',
    ]);
    expect(parameters['redirect_uri']).toBe(
      flow.op.lastRequest('/authorize').parameters['redirect_uri'],
    );
  });
});

describe('Core 9 client authentication', () => {
  it.each([
    [undefined, undefined, 'basic'],
    [undefined, ['client_secret_post'], 'post'],
    [undefined, ['client_secret_post', 'client_secret_basic'], 'basic'],
    ['client_secret_post', ['client_secret_basic'], 'post'],
    ['client_secret_basic', ['client_secret_post'], 'basic'],
  ] as const)(
    'with the option %s at an OP that offers %j is %s',
    async (tokenEndpointAuthMethod, offered, used) => {
      flow = await startFlow({ oidc: { tokenEndpointAuthMethod } });
      flow.op.lie({
        discovery: {
          json: (body) => ({ ...body, token_endpoint_auth_methods_supported: offered }),
        },
      });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      const { headers, parameters } = flow.op.lastRequest('/token');
      expect(headers.authorization === undefined ? 'post' : 'basic').toBe(used);
      expect(parameters['client_secret'] === undefined ? 'basic' : 'post').toBe(used);
    },
  );

  it('with a wrong secret ends no login', async () => {
    flow = await startFlow({ oidc: { clientSecret: 'wrong' } });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
  });
});
