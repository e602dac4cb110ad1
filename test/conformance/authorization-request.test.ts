import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('Core 3.3.2.1 the authentication request', () => {
  it.each([
    ['code', 'query', undefined],
    ['code', 'form_post', 'form_post'],
    ['code id_token', 'form_post', 'form_post'],
    ['code id_token', 'fragment', 'fragment'],
    ['code token', 'form_post', 'form_post'],
    ['code id_token token', 'form_post', 'form_post'],
  ] as const)(
    'for "%s" by %s has state, nonce and PKCE',
    async (responseType, responseMode, sent) => {
      flow = await startFlow({ oidc: { responseType, responseMode } });
      await flow.signIn();
      const { parameters } = flow.op.lastRequest('/authorize');
      const verifier = flow.op.lastRequest('/token').parameters['code_verifier'] ?? '';
      expect(parameters).toEqual({
        client_id: 'client',
        response_type: responseType,
        redirect_uri: `${flow.baseUrl}/callback`,
        scope: 'openid profile email',
        state: expect.stringMatching(/^[\w-]{43}$/),
        nonce: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...(sent === undefined ? {} : { response_mode: sent }),
      });
      // RFC 7636 4.1.
      expect(verifier).toMatch(/^[\w-]{43,128}$/);
    },
  );

  it('has further parameters as configured', async () => {
    flow = await startFlow({
      oidc: { audience: 'https://api.example', authorizationParams: { ui_locales: 'de' } },
    });
    await flow.signIn();
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      audience: 'https://api.example',
      ui_locales: 'de',
    });
  });

  it('keeps the query of the authorization endpoint', async () => {
    flow = await startFlow();
    flow.op.lie({
      discovery: {
        json: (body) => ({
          ...body,
          authorization_endpoint: `${flow.op.issuer}/authorize?tenant=1`,
        }),
      },
    });
    await flow.signIn();
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({ tenant: '1' });
  });

  it('has no parameter twice, though the endpoint has it in its query', async () => {
    flow = await startFlow();
    flow.op.lie({
      discovery: {
        json: (body) => ({
          ...body,
          authorization_endpoint: `${flow.op.issuer}/authorize?state=s&tenant=1&nonce=n`,
        }),
      },
    });
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/login`, ({ url }) =>
      url.startsWith(flow.op.issuer),
    );
    const query = new URL(next?.url ?? '').searchParams;
    for (const name of query.keys()) expect([name, query.getAll(name).length]).toEqual([name, 1]);
    expect([query.get('tenant'), query.get('state') === 's']).toEqual(['1', false]);
  });

  it('never uses a state, nonce or verifier twice', async () => {
    flow = await startFlow();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    const requests = flow.op.requests.filter(({ path }) => path === '/authorize');
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(new Set(requests.map(({ parameters }) => parameters[name])).size).toBe(2);
    }
  });

  it('leaves nothing behind: no cache, no Referer', async () => {
    flow = await startFlow();
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`, () => true);
    expect(arrival.status).toBe(303);
    expect(arrival.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });
});
