import { afterEach, describe, expect, it } from '@jest/globals';
import { tenantFlows } from 'passport-oidc-hybrid';
import request from 'supertest';
import { errorCode, sealingSecret } from '../support/flow.ts';
import { startTenants, type Tenants, type TenantsSetup } from '../support/tenants.ts';

let tenants: Tenants;
afterEach(() => tenants.close());

async function start(setup: TenantsSetup = {}): Promise<Tenants> {
  tenants = await startTenants(setup);
  return tenants;
}

describe('a tenant that is not there', () => {
  const get = (path: string, host = 'nobody.example') =>
    request(tenants.urls.bob).get(path).set({
      Host: host,
      Accept: 'text/html',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    });

  it('is a 404 at guards, and the router lets its requests by', async () => {
    await start({ routes: (app) => app.get('/login', (_req, res) => res.json({ mine: true })) });
    expect((await get('/login')).body).toEqual({ mine: true });
    const page = await get('/private');
    expect(page.status).toBe(404);
    expect(errorCode(page)).toBe('ERR_OIDC_TENANT_UNKNOWN');
    expect((await get('/open')).body).toMatchObject({ sub: null });
    expect((await get('/private', `127.0.0.1:${tenants.port}`)).status).toBe(303);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      'ERR_OIDC_TENANT_UNAVAILABLE',
    ],
    [
      'is rejected',
      async () => {
        throw new Error('no database');
      },
      'ERR_OIDC_TENANT_UNAVAILABLE',
    ],
    ['gives a text', () => 'ada' as never, 'ERR_OIDC_TENANT_OPTIONS'],
    ['gives no issuer', () => ({ id: 'ada' }), 'ERR_OIDC_TENANT_OPTIONS'],
    ['gives no id', () => ({ issuer: 'https://op.example' }) as never, 'ERR_OIDC_TENANT_OPTIONS'],
    [
      'gives a function',
      () => ({ id: 'a', authorizationParams: () => ({}) }),
      'ERR_OIDC_TENANT_OPTIONS',
    ],
    [
      'gives an option of all',
      () => ({ id: 'a', sessionKey: 'mine' }) as never,
      'ERR_OIDC_TENANT_OPTIONS',
    ],
  ])('because resolveClient %s is a 503 everywhere', async (_how, resolve, code) => {
    await start({ resolve: () => resolve });
    for (const path of ['/private', '/open', '/login', '/callback']) {
      const answer = await get(path);
      expect([answer.status, errorCode(answer)]).toEqual([503, code]);
      expect(answer.text).not.toContain('no database');
    }
    expect(tenants.errors).toEqual([]);
  });

  it('because resolveClient does not answer is a 503 after a while', async () => {
    await start({
      resolve: () => () => new Promise(() => undefined),
      oidc: { httpTimeoutSeconds: 1 },
    });
    expect(errorCode(await get('/private'))).toBe('ERR_OIDC_TENANT_UNAVAILABLE');
  });

  it('is told to onError, which has a way to answer', async () => {
    await start({
      resolve: () => () => undefined,
      oidc: {
        onError: ({ error, res }) => void res.status(error.status).json({ mine: error.code }),
      },
    });
    expect((await get('/private')).body).toEqual({ mine: 'ERR_OIDC_TENANT_UNKNOWN' });
  });
});

describe('options of tenantFlows()', () => {
  const good = { secret: sealingSecret, resolveClient: () => undefined };

  it.each([
    ['resolveClient', { resolveClient: undefined }, 'ERR_OIDC_OPTION_INVALID'],
    ['maxTenants', { maxTenants: 0 }, 'ERR_OIDC_OPTION_INVALID'],
    ['secret', { secret: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['secret', { secret: 'short' }, 'ERR_OIDC_OPTION_INVALID'],
    ['sessionKey', { sessionKey: 'cookie' }, 'ERR_OIDC_OPTION_INVALID'],
    ['loginPath', { loginPath: 'login' }, 'ERR_OIDC_OPTION_INVALID'],
    ['lock', { lock: {} }, 'ERR_OIDC_OPTION_INVALID'],
    ['resolveClients', { resolveClients: 1 }, 'ERR_OIDC_OPTION_UNKNOWN'],
  ])('name %s when it is wrong', async (option, wrong, code) => {
    await start();
    const make = () => tenantFlows({ ...good, ...wrong } as never);
    expect(make).toThrow(expect.objectContaining({ option, code }));
    expect(() => tenantFlows(good)).not.toThrow();
  });

  it('and of guards are checked before there is a tenant', async () => {
    await start();
    const oidc = tenantFlows(good);
    expect(() => oidc.requireAuth({ resource: 'no uri' })).toThrow('"resource"');
    expect(() => oidc.login({ maxAge: -1 })).toThrow('maxAge');
  });
});
