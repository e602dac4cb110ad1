import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequireAuthOptions } from 'passport-oidc-hybrid';
import request from 'supertest';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

const orders = 'https://orders.example';
const billing = 'https://billing.example';

let flow: Flow;
afterEach(() => flow.close());

/** Signed in for orders; `/billing`, `/audience` and `/read` get tokens of their own. */
async function start(): Promise<void> {
  const guards: Record<string, RequireAuthOptions> = {
    '/billing': { resource: billing },
    '/audience': { audience: 'urn:other' },
    '/read': { resource: billing, scope: 'bills:read' },
    '/write': { resource: billing, scope: 'bills:write' },
  };
  flow = await startFlow({
    oidc: { resource: [orders, billing] },
    routes: (app, oidc) => {
      for (const [path, guard] of Object.entries(guards)) {
        app.get(path, oidc.requireAuth(guard), (req, res) => {
          res.json({ authorization: req.headers.authorization });
        });
      }
      app.get('/both', oidc.requireAuth(), async (req, res) => {
        const other = await req.oidc?.accessToken({ resource: billing });
        const own = await req.oidc?.accessToken();
        res.json({ own: own?.value, other: other?.value, attached: req.headers.authorization });
      });
      app.get('/downscoped', oidc.requireAuth(), async (req, res) => {
        res.json(await req.oidc?.accessToken({ scope: 'openid' }));
      });
    },
  });
  expect(await flow.signIn()).toMatchObject({ status: 200 });
}

const get = async (path: string): Promise<Record<string, unknown>> => {
  const answer = await flow.browser.fetch(`${flow.baseUrl}${path}`);
  expect(answer.status).toBe(200);
  return json(answer);
};

/** What the token that a route attached was asked for with. */
const targetOf = async (path: string): Promise<unknown> =>
  flow.op.targets.get(String((await get(path))['authorization']).slice('Bearer '.length));

const refreshes = (): number => flow.op.count('/token', 'refresh_token');

describe('RFC 8707 several APIs from one login', () => {
  it('names all of them at the authorization endpoint, and the first at the token endpoint', async () => {
    await start();
    const { headers } = await request(flow.baseUrl).get('/login').set({ Accept: 'text/html' });
    const url = new URL(String(headers['location']));
    expect(url.searchParams.getAll('resource')).toEqual([orders, billing]);
    expect(flow.op.lastRequest('/token').parameters['resource']).toBe(orders);
  });

  it('gives each API the token that was issued for it, and keeps it', async () => {
    await start();
    for (let round = 1; round <= 2; round += 1) {
      expect(await targetOf('/api/x')).toEqual({ resource: orders });
      expect(await targetOf('/billing')).toEqual({ resource: billing });
      expect(await targetOf('/audience')).toEqual({ audience: 'urn:other' });
      expect(await targetOf('/read')).toEqual({ resource: billing, scope: 'bills:read' });
    }
    expect(refreshes()).toBe(3);
  });

  it('renews each when it is due, with the one refresh token', async () => {
    await start();
    await targetOf('/billing');
    flow.clock.advance(1800);
    await targetOf('/audience');
    flow.clock.advance(1800);
    // Of these three, the token of the login and that of billing have come to their end.
    expect(await targetOf('/audience')).toEqual({ audience: 'urn:other' });
    expect(refreshes()).toBe(2);
    expect(await targetOf('/billing')).toEqual({ resource: billing });
    expect(await targetOf('/api/x')).toEqual({ resource: orders });
    expect(refreshes()).toBe(4);
    expect(flow.op.lastRequest('/token').parameters['resource']).toBe(orders);
  });

  it('spends the refresh token once at a time, for any number of requests and APIs at once', async () => {
    await start();
    for (let round = 1; round <= 2; round += 1) {
      const paths = ['/api/x', '/billing', '/audience', '/read'];
      const wanted = [{ resource: orders }, { resource: billing }, { audience: 'urn:other' }];
      const targets = await Promise.all(
        Array.from({ length: 10 }, () => paths.map(targetOf)).flat(),
      );
      for (const [index, target] of targets.entries()) {
        expect(target).toEqual(
          wanted[index % paths.length] ?? { resource: billing, scope: 'bills:read' },
        );
      }
      // The OP revokes the grant when a refresh token comes twice: that would be a 401.
      expect(refreshes()).toBe(round === 1 ? 3 : 7);
      flow.clock.advance(4000);
    }
  });

  it('hands out both in one handler, and leaves the guard its own', async () => {
    await start();
    const { own, other, attached } = await get('/both');
    expect(attached).toBe(`Bearer ${own}`);
    expect(flow.op.targets.get(String(own))).toEqual({ resource: orders });
    expect(flow.op.targets.get(String(other))).toEqual({ resource: billing });
  });

  it('gives less scope for the same API', async () => {
    await start();
    const token = await get('/downscoped');
    expect(token['scope']).toEqual(['openid']);
    expect(flow.op.targets.get(String(token['value']))).toEqual({
      resource: orders,
      scope: 'openid',
    });
  });

  it('lets nobody through with less scope than the route asks for', async () => {
    await start();
    expect((await flow.browser.fetch(`${flow.baseUrl}/write`)).status).toBe(200);
    flow.op.lie({ refresh: { json: (body) => ({ ...body, scope: 'bills:read' }) } });
    flow.clock.advance(4000);
    const refused = await flow.browser.fetch(`${flow.baseUrl}/write`);
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_INSUFFICIENT_SCOPE']);
  });

  it.each(['invalid_target', 'invalid_scope'])(
    'an API that the OP refuses (%s) is 502, and the login goes on',
    async (error) => {
      await start();
      flow.op.lie({ refresh: { status: 400, body: JSON.stringify({ error }) } });
      const refused = await flow.browser.fetch(`${flow.baseUrl}/billing`);
      expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_TARGET_REFUSED']);
      flow.op.honest();
      expect(await targetOf('/api/x')).toEqual({ resource: orders });
      expect(await targetOf('/billing')).toEqual({ resource: billing });
    },
  );

  it('in an outage an API without a token is 503, and the others are served', async () => {
    await start();
    flow.op.lie({ refresh: { status: 503 } });
    const refused = await flow.browser.fetch(`${flow.baseUrl}/billing`);
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNAVAILABLE']);
    expect(await targetOf('/api/x')).toEqual({ resource: orders });
  });

  it('an OP that gives no refresh token is told of by 403, and no login goes round for it', async () => {
    await start();
    flow.op.lie({ token: { json: ({ refresh_token, ...body }) => body } });
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    const logins = flow.op.count('/authorize');
    const refused = await flow.browser.navigate(`${flow.baseUrl}/billing`);
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_NO_REFRESH_TOKEN']);
    expect(flow.op.count('/authorize')).toBe(logins);
    expect(await targetOf('/api/x')).toEqual({ resource: orders });
  });

  it('a target that cannot be one is an error at start-up', async () => {
    await start();
    expect(() => flow.oidc.requireAuth({ resource: 'billing' })).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID', option: 'resource' }),
    );
  });

  it('another user on the same browser gets none of the tokens before', async () => {
    await start();
    const before = (await get('/billing'))['authorization'];
    flow.op.subject = 'eve';
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect((await get('/billing'))['authorization']).not.toBe(before);
    expect(await targetOf('/billing')).toEqual({ resource: billing });
  });
});
