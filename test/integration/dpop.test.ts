import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import request from 'supertest';
import { Browser } from '../support/browser.ts';
import { type DpopFlow, type DpopSetup, startDpopFlow } from '../support/dpop-flow.ts';
import { json } from '../support/flow.ts';

let flow: DpopFlow;
let browser: Browser;
afterEach(() => flow.close());

async function start(setup: DpopSetup = {}): Promise<DpopFlow> {
  flow = await startDpopFlow(setup);
  browser = new Browser();
  return flow;
}

const keyOf = (visit: { text: string }): unknown => (json(visit)['cnf'] as { jkt: string }).jkt;

describe('RFC 9449 at the OP', () => {
  it.each([true, { alg: 'EdDSA' }, { alg: 'Ed25519' }] as const)(
    'binds the tokens of a login to its key, with %j',
    async (dpop) => {
      const { baseUrl, op } = await start({ oidc: { dpop } });
      const arrival = await browser.navigate(`${baseUrl}/token`);
      const { value, tokenType } = json(arrival) as { value: string; tokenType: string };
      expect(tokenType).toBe('DPoP');
      const authorize = arrival.history.find(({ url }) => url.includes('/auth?'))?.url ?? '';
      const announced = new URL(authorize).searchParams.get('dpop_jkt');
      expect(decodeJwt(value)['cnf']).toEqual({ jkt: announced });
      expect(op.grants).toMatchObject({ authorization_code: 1 });
    },
  );

  it('asks once more with the nonce that the OP wants, and from then on with it at once', async () => {
    const { baseUrl, op } = await start();
    await browser.navigate(`${baseUrl}/token`);
    expect(op.grants).toMatchObject({ authorization_code: 1, refused: 1 });
    await new Browser().navigate(`${baseUrl}/token`);
    expect(op.grants).toMatchObject({ authorization_code: 2, refused: 1 });
  });

  it('never sends a client assertion twice on the way', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' };
    const { d: _private, ...publicJwk } = jwk as Record<string, unknown>;
    const { baseUrl, op } = await start({
      client: {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [publicJwk] },
      },
      oidc: { clientKey: jwk, tokenEndpointAuthMethod: 'private_key_jwt' },
    });
    expect(await browser.navigate(`${baseUrl}/token`)).toMatchObject({ status: 200 });
    expect(op.grants).toMatchObject({ authorization_code: 1, refused: 1 });
  });

  it('goes with a public client, whose refresh token is bound as well', async () => {
    const { baseUrl, op, clock } = await start({
      client: { token_endpoint_auth_method: 'none' },
      oidc: { tokenEndpointAuthMethod: 'none' },
    });
    const before = await browser.navigate(`${baseUrl}/orders`);
    clock.advance(60);
    const after = await browser.fetch(`${baseUrl}/orders`);
    expect(op.grants).toMatchObject({ refresh_token: 1 });
    expect(keyOf(after)).toBe(keyOf(before));
  });

  it('refreshes with the same key, and each login has its own', async () => {
    const { baseUrl, op, clock } = await start();
    const first = await browser.navigate(`${baseUrl}/orders`);
    const other = await new Browser().navigate(`${baseUrl}/orders`);
    expect(keyOf(other)).not.toBe(keyOf(first));
    clock.advance(60);
    expect(keyOf(await browser.fetch(`${baseUrl}/orders`))).toBe(keyOf(first));
    expect(op.grants).toMatchObject({ refresh_token: 1 });
  });

  it('proves itself at the UserInfo Endpoint, with a nonce too', async () => {
    const { baseUrl } = await start({
      oidc: { resource: undefined },
      routes: (app, oidc) =>
        app.get('/me', oidc.requireAuth(), async (req, res) => {
          res.json(await req.oidc.userinfo());
        }),
    });
    expect(json(await browser.navigate(`${baseUrl}/me`))).toMatchObject({ sub: 'ada' });
  });
});

describe('RFC 9449 at an API', () => {
  it.each([
    ['fetch', '/orders', { url: '/v1/orders?page=1', method: 'GET' }],
    ['fetch that posts', '/post', { url: '/v1/orders', method: 'POST' }],
    ['a proxy', '/dpop/orders?page=2', { url: '/v1/orders?page=2', method: 'GET' }],
    ['oidc.proxy', '/through/orders?page=3', { url: '/v1/orders?page=3', method: 'GET' }],
  ])('shows a proof that it takes, by %s', async (_how, path, seen) => {
    const { baseUrl, boundApi } = await start();
    const arrival = await browser.navigate(`${baseUrl}${path}`);
    expect(json(arrival)).toMatchObject({ sub: 'ada', ...seen });
    expect(json(arrival)).not.toHaveProperty('cookie');
    await browser.fetch(`${baseUrl}${path}`);
    expect(boundApi.calls).toEqual({ accepted: 2, refused: [] });
  });

  it('is what a stolen token is worth nothing without', async () => {
    const { baseUrl, apiUrl, boundApi } = await start();
    const { value } = json(await browser.navigate(`${baseUrl}/token`)) as { value: string };
    for (const scheme of ['Bearer', 'DPoP']) {
      await request(apiUrl)
        .get('/v1/orders')
        .set('Authorization', `${scheme} ${value}`)
        .expect(401);
    }
    expect(boundApi.calls.refused).toEqual(['the scheme is Bearer', 'no proof, or several']);
  });

  it('has the nonce that it wants, after one more request', async () => {
    const { baseUrl, boundApi, nonces } = await start();
    await browser.navigate(`${baseUrl}/token`);
    for (let round = 1; round <= 2; round += 1) {
      nonces.next();
      expect(await browser.fetch(`${baseUrl}/orders`)).toMatchObject({ status: 200 });
      expect(await browser.fetch(`${baseUrl}/post`)).toMatchObject({ status: 200 });
      expect(boundApi.calls.accepted).toBe(2 * round);
      expect(boundApi.calls.refused).toEqual(Array(round).fill('use_dpop_nonce'));
    }
  });

  it('has it by oidc.proxy too, whose browser sees nothing of it', async () => {
    const { baseUrl, boundApi, nonces } = await start();
    await browser.navigate(`${baseUrl}/token`);
    nonces.next();
    const headers = { DPoP: 'made up', 'Content-Type': 'text/plain', Origin: baseUrl };
    const init = { method: 'POST', body: 'text', headers } as const;
    const answer = await browser.fetch(`${baseUrl}/through/orders`, init);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers).not.toHaveProperty('dpop-nonce');
    expect(boundApi.calls).toEqual({ accepted: 1, refused: ['use_dpop_nonce'] });
  });

  it('has it after as many as come at once, and no more', async () => {
    const { baseUrl, boundApi, nonces } = await start();
    await browser.navigate(`${baseUrl}/token`);
    nonces.next();
    const calls = Array.from({ length: 8 }, () => browser.fetch(`${baseUrl}/orders`));
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
    expect(boundApi.calls.accepted).toBe(8);
  });

  it('that never takes the nonce is asked no third time', async () => {
    const { baseUrl, boundApi, nonces } = await start();
    await browser.navigate(`${baseUrl}/token`);
    const changing = Object.defineProperty(nonces, 'current', { get: () => String(Math.random()) });
    expect(changing.current).not.toBe(changing.current);
    expect(await browser.fetch(`${baseUrl}/orders`)).toMatchObject({ status: 401 });
    expect(boundApi.calls.refused).toEqual(['use_dpop_nonce', 'use_dpop_nonce']);
  });

  it('is asked once with a body that can be read but once, and once where it gives no nonce', async () => {
    const { baseUrl, boundApi, nonces } = await start({
      routes: (app, oidc, apiUrl) =>
        app.get('/stream', oidc.requireAuth(), async (req, res) => {
          const init = { method: 'POST', body: new Blob(['text']).stream(), duplex: 'half' };
          const answer = await req.oidc.fetch(`${apiUrl}/v1/orders`, init as RequestInit);
          res.status(answer.status).end();
        }),
    });
    await browser.navigate(`${baseUrl}/token`);
    nonces.next();
    expect(await browser.fetch(`${baseUrl}/stream`)).toMatchObject({ status: 401 });
    expect(await browser.fetch(`${baseUrl}/stream`)).toMatchObject({ status: 200 });
    expect(boundApi.calls.refused).toEqual(['use_dpop_nonce']);
    nonces.current = 'no "nonce"';
    expect(await browser.fetch(`${baseUrl}/orders`)).toMatchObject({ status: 401 });
    expect(boundApi.calls.refused).toHaveLength(2);
  });

  it('behind a proxy has the browser try again, as no guard can', async () => {
    const { baseUrl, nonces } = await start();
    await browser.navigate(`${baseUrl}/token`);
    nonces.next();
    const refused = await browser.fetch(`${baseUrl}/dpop/orders`);
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '0' } });
    expect(refused.headers).not.toHaveProperty('dpop-nonce');
    expect(refused.headers).not.toHaveProperty('www-authenticate');
    const taken = await browser.fetch(`${baseUrl}/dpop/orders`);
    expect(taken).toMatchObject({ status: 200 });
    expect(taken.headers).not.toHaveProperty('dpop-nonce');
  });

  it("never sees a caller's own proof", async () => {
    const { baseUrl, boundApi } = await start({
      routes: (app, oidc, apiUrl) =>
        app.get('/raw', oidc.requireAuth({ proxied: { to: apiUrl } }), (req, res) => {
          const at = req.rawHeaders.map((name, index) => (/^dpop$/i.test(name) ? index : -1));
          const found = at.filter((index) => index >= 0);
          res.json(found.flatMap((index) => req.rawHeaders.slice(index, index + 2)));
        }),
    });
    await browser.navigate(`${baseUrl}/token`);
    const headers = { DPoP: 'made up', Connection: 'dpop' };
    const raw = json(await browser.fetch(`${baseUrl}/raw`, { headers }));
    expect(raw).toEqual(['DPoP', expect.not.stringContaining('made up')]);
    expect(await browser.fetch(`${baseUrl}/dpop/orders`, { headers })).toMatchObject({
      status: 200,
    });
    expect(boundApi.calls.refused).toEqual([]);
  });

  it('may be called by other clients, with headers for the call', async () => {
    const { baseUrl, boundApi } = await start({
      routes: (app, oidc, apiUrl) =>
        app.get('/own', oidc.requireAuth(), async (req, res) => {
          const headers = await req.oidc.headersFor('PATCH', `${apiUrl}/v1/orders/7?a=b`);
          const answers = [
            await request(apiUrl).patch('/v1/orders/7?a=b').set(headers),
            await request(apiUrl).patch('/v1/orders/7?a=b').set(headers),
            await request(apiUrl).get('/v1/orders/7').set(headers),
          ];
          res.json(answers.map(({ status }) => status));
        }),
    });
    expect(json(await browser.navigate(`${baseUrl}/own`))).toEqual([200, 401, 401]);
    expect(boundApi.calls.refused).toEqual([
      'a proof that was here before',
      'another method: PATCH',
    ]);
  });

  it('gets a whole URL from a function, where the proxy rewrites paths', async () => {
    const { baseUrl } = await start({
      routes: (app, oidc, apiUrl) =>
        app.use(
          '/rewritten',
          oidc.requireAuth({ proxied: { to: () => `${apiUrl}/v2/orders` } }),
          async (req, res) => {
            const { authorization = '', dpop } = req.headers;
            const sent = request(apiUrl)
              .get('/v2/orders')
              .set({ authorization, dpop: String(dpop) });
            res.status((await sent).status).end();
          },
        ),
    });
    expect(await browser.navigate(`${baseUrl}/rewritten/orders`)).toMatchObject({ status: 200 });
  });
});
