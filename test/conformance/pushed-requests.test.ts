import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import type { Lies } from '../../lib/testing/lies.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import { expectRefusal } from '../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

const start = async (oidc: Partial<CommonOptions>, lies: Lies = {}): Promise<Flow> => {
  flow = await startFlow({ oidc });
  flow.op.lie(lies);
  return flow;
};

describe('RFC 9126 5 when authorization requests are pushed', () => {
  it.each<[string, Partial<CommonOptions>, Lies, number]>([
    ['not where the OP offers it only', {}, {}, 0],
    ['where the OP requires it', {}, { requiresPushedRequests: true }, 1],
    ['where it offers it, by option', { pushedAuthorizationRequests: 'offered' }, {}, 1],
    ['always, by option', { pushedAuthorizationRequests: 'always' }, {}, 1],
  ])('%s', async (_when, oidc, lies, count) => {
    await start(oidc, lies);
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.count('/par')).toBe(count);
  });

  it.each<['offered' | 'always', number]>([
    ['offered', 200],
    ['always', 502],
  ])('at an OP without such an endpoint: %s', async (pushedAuthorizationRequests, status) => {
    const pushed_authorization_request_endpoint = undefined;
    await start(
      { pushedAuthorizationRequests },
      { discovery: { json: (body) => ({ ...body, pushed_authorization_request_endpoint }) } },
    );
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([
      status,
      status === 200 ? undefined : 'ERR_OIDC_METADATA',
    ]);
  });
});

describe('RFC 9126 2 the pushed request', () => {
  const pushed = { pushedAuthorizationRequests: 'always' } as const;

  it('has everything, and is of the client; the browser brings the reference alone', async () => {
    await start({ ...pushed, maxAge: 60, resource: ['https://a.example', 'https://b.example'] });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const { parameters, headers, method } = flow.op.lastRequest('/par');
    expect([method, headers.authorization]).toEqual(['POST', expect.stringMatching(/^Basic /)]);
    expect(parameters).toMatchObject({
      client_id: 'client',
      response_type: 'code id_token',
      response_mode: 'form_post',
      redirect_uri: `${flow.baseUrl}/callback`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      max_age: '60',
      state: expect.any(String),
      nonce: expect.any(String),
    });
    expect(flow.op.lastRequest('/authorize').parameters).toEqual({
      client_id: 'client',
      request_uri: expect.stringMatching(/^urn:/),
    });
  });

  it('is brought by a form, too', async () => {
    await start({ ...pushed, authorizationRequestMethod: 'post' });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const { method, parameters } = flow.op.lastRequest('/authorize');
    expect([method, Object.keys(parameters)]).toEqual(['POST', ['client_id', 'request_uri']]);
  });

  it('is one for each login', async () => {
    await start(pushed);
    await flow.signIn(new Browser());
    await flow.signIn(new Browser());
    expect(flow.op.count('/par')).toBe(2);
  });
});

type Row = [string, Lies['pushedRequest'], number, string];

describe('RFC 9126 2.2 and 2.3 an endpoint that fails', () => {
  it.each<Row>([
    ['a refusal', { status: 400, body: '{"error":"invalid_request"}' }, 502, 'PAR_REFUSED'],
    ['a refused scope', { status: 400, body: '{"error":"invalid_scope"}' }, 502, 'PAR_REFUSED'],
    [
      'a refused client',
      { status: 401, body: '{"error":"invalid_client"}' },
      502,
      'CLIENT_REFUSED',
    ],
    ['an outage', { status: 503 }, 503, 'PROVIDER_UNAVAILABLE'],
    ['too many requests', { status: 429 }, 503, 'PROVIDER_UNAVAILABLE'],
    ['the wrong status', { status: 200 }, 502, 'PROVIDER_RESPONSE'],
    ['no request_uri', { json: () => ({ expires_in: 60 }) }, 502, 'PROVIDER_RESPONSE'],
    ['no lifetime', { json: ({ request_uri }) => ({ request_uri }) }, 502, 'PROVIDER_RESPONSE'],
    ...[0, -1, 60.5, '60', null, true, [60]].map((expires_in): Row => {
      const json = (body: object) => ({ ...body, expires_in });
      return [`the lifetime ${JSON.stringify(expires_in)}`, { json }, 502, 'PROVIDER_RESPONSE'];
    }),
    ['no JSON', { body: 'request_uri=urn:x' }, 502, 'PROVIDER_RESPONSE'],
    ['a redirect', { status: 302, headers: { location: '/' } }, 502, 'PROVIDER_RESPONSE'],
  ])('sends nobody away: %s', async (_what, pushedRequest, status, code) => {
    await start({ pushedAuthorizationRequests: 'always' });
    const refused = await expectRefusal(flow, { pushedRequest: pushedRequest ?? {} }, code, status);
    expect(refused.setCookies).toEqual([]);
    expect(flow.op.count('/authorize')).toBe(1);
  });
});
