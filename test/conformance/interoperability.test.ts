import { afterEach, describe, expect, it } from '@jest/globals';
import type { Lies } from '../../lib/testing/lies.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

type Body = Record<string, unknown>;
const token = (change: (body: Body) => unknown): Lies => ({ token: { json: change } });
const metadata = (change: (body: Body) => unknown): Lies => ({ discovery: { json: change } });

/** What OPs do within the specifications. */
const habits: [habit: string, lies: Lies][] = [
  ['token_type in lower case', token((body) => ({ ...body, token_type: 'bearer' }))],
  ['token_type in upper case', token((body) => ({ ...body, token_type: 'BEARER' }))],
  ['expires_in as text', token((body) => ({ ...body, expires_in: '3600' }))],
  ['no expires_in', token(({ expires_in, ...body }) => body)],
  ['expires_in with a fraction', token((body) => ({ ...body, expires_in: 3600.5 }))],
  ['no refresh token', token(({ refresh_token, ...body }) => body)],
  ['a scope in another order', token((body) => ({ ...body, scope: 'email openid profile' }))],
  ['less scope than was asked for', token((body) => ({ ...body, scope: 'openid' }))],
  ['members that nobody knows', token((body) => ({ ...body, ext_expires_in: 1, foo: [{}] }))],
  ['refresh_expires_in, not_before_policy', token((body) => ({ ...body, not_before_policy: 0 }))],
  ['JSON as text/plain', { token: { headers: { 'content-type': 'text/plain' } } }],
  [
    'JSON with a charset',
    { token: { headers: { 'content-type': 'application/json;charset=UTF-8' } } },
  ],
  ['an ID Token without typ', { backIdToken: { header: { typ: undefined } } }],
  ['an ID Token with typ JWT', { backIdToken: { header: { typ: 'JWT' } } }],
  ['an ID Token with another typ', { frontIdToken: { header: { typ: 'id_token+jwt' } } }],
  ['claims that nobody knows', { backIdToken: { claims: { groups: [1, { a: null }], x: null } } }],
  ['another acr than none was asked for', { backIdToken: { claims: { acr: '0', amr: ['pwd'] } } }],
  ['auth_time without max_age', { backIdToken: { claims: { auth_time: 1 } } }],
  [
    'session_state and other parameters beside the code',
    {
      response: (parameters) => [
        ...parameters,
        ['session_state', 'a.b'],
        ['scope', 'openid profile'],
        ['client_info', 'e30'],
        ['expires_in', '3600'],
      ],
    },
  ],
  ['the parameters in another order', { response: (parameters) => parameters.toReversed() }],
  [
    'no list of authentication methods',
    metadata(({ token_endpoint_auth_methods_supported, ...body }) => body),
  ],
  ['no list of response types', metadata(({ response_types_supported, ...body }) => body)],
  ['no list of response modes', metadata(({ response_modes_supported, ...body }) => body)],
  [
    'response types in another order of words',
    metadata((body) => ({ ...body, response_types_supported: ['id_token code'] })),
  ],
  ['no list of PKCE methods', metadata(({ code_challenge_methods_supported, ...body }) => body)],
  [
    'algorithms that nobody knows',
    metadata((body) => ({
      ...body,
      id_token_signing_alg_values_supported: ['ML-DSA-44', 'none', 'HS256', 'ES256'],
    })),
  ],
  [
    'the iss parameter as text',
    metadata((body) => ({ ...body, authorization_response_iss_parameter_supported: 'true' })),
  ],
];

describe('an OP within the specifications signs in with', () => {
  it.each(habits)('%s', async (_habit, lies) => {
    flow = await startFlow();
    flow.op.lie(lies);
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([200, undefined]);
    expect(json(arrival)).toMatchObject({ sub: 'ada' });
  });
});

describe('RFC 6749 5.1 expires_in', () => {
  it('as text means the same seconds as a number', async () => {
    flow = await startFlow();
    flow.op.lie(token((body) => ({ ...body, expires_in: '100' })));
    await flow.signIn();
    const call = (): ReturnType<Flow['browser']['fetch']> =>
      flow.browser.fetch(`${flow.baseUrl}/api/x`);
    flow.clock.advance(45);
    await call();
    expect(flow.op.count('/token', 'refresh_token')).toBe(0);
    flow.clock.advance(10);
    await call();
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it.each(['soon', -1, null, {}])('that is %j is an answer that cannot be used', async (value) => {
    flow = await startFlow();
    flow.op.lie(token((body) => ({ ...body, expires_in: value })));
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([502, 'ERR_OIDC_PROVIDER_RESPONSE']);
  });
});

describe('RFC 6749 2.3.1 credentials of any printable characters', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'sign in by %s, whatever is in them',
    async (tokenEndpointAuthMethod) => {
      const clientSecret = Array.from({ length: 94 }, (_, index) =>
        String.fromCharCode(33 + index),
      );
      flow = await startFlow();
      flow.op.clientId = 'cli:ent id+%20/?=&\'"~';
      flow.op.clientSecret = clientSecret.join('');
      const { op } = flow;
      const own = await startFlow({
        op,
        oidc: { clientId: op.clientId, clientSecret: op.clientSecret, tokenEndpointAuthMethod },
      });
      expect(json(await own.signIn())).toMatchObject({ sub: 'ada' });
      await own.close();
    },
  );
});
