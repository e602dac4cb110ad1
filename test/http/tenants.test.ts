import { afterEach, describe, expect, it } from '@jest/globals';
import type { TenantClient } from 'passport-oidc-hybrid';
import { errorCode, json } from '../support/flow.ts';
import { listen } from '../support/listen.ts';
import { startTenants, type Tenants, type TenantsSetup } from '../support/tenants.ts';

let tenants: Tenants;
afterEach(() => tenants.close());

async function start(setup: TenantsSetup = {}): Promise<Tenants> {
  tenants = await startTenants(setup);
  return tenants;
}

describe('tenants', () => {
  it('sign in each at its own OP, on one application', async () => {
    const { urls, browser, ops } = await start();
    const ada = await browser.navigate(`${urls.ada}/private`);
    const bob = await browser.navigate(`${urls.bob}/private`);
    expect(json(ada)).toMatchObject({ sub: 'ada', iss: ops.ada.issuer });
    expect(json(bob)).toMatchObject({ sub: 'bob', iss: ops.bob.issuer });
    expect(json(bob)['authorization']).toBe(`Bearer ${ops.bob.accessTokens.back[0]}`);
    expect([ops.ada.count('/token'), ops.bob.count('/token')]).toEqual([1, 1]);
    expect(tenants.errors).toEqual([]);
  });

  it('reach one API by a proxy for all, each with its own token', async () => {
    const api = await listen((req, res) => void res.end(JSON.stringify(req.headers)));
    try {
      const target = `http://127.0.0.1:${api.port}`;
      const { urls, browser, ops } = await start({
        routes: (app, oidc) => void app.use('/api', oidc.proxy({ target })),
      });
      for (const name of ['ada', 'bob'] as const) {
        const headers = json(await browser.navigate(`${urls[name]}/api/a`));
        expect(headers['authorization']).toBe(`Bearer ${ops[name].accessTokens.back[0]}`);
      }
    } finally {
      await api.close();
    }
  });

  it('are on paths of one host, too', async () => {
    const { port, browser, ops, clients } = await start({
      resolve: (rig) => (req) => rig.clients.get(String(req.params['tenant'])),
      router: (app, oidc) => app.use('/t/:tenant', oidc.router()),
      routes: (app, oidc) => {
        app.get('/t/:tenant/page', oidc.requireAuth(), (req, res) => {
          res.json({ sub: req.oidc?.claims.sub });
        });
      },
    });
    for (const [name, client] of [...clients.values()].map((one): [string, TenantClient] => [
      one.id,
      one,
    ])) {
      clients.set(name, {
        ...client,
        baseUrl: `http://localhost:${port}/t/${name}`,
      } as TenantClient);
    }
    const ada = await browser.navigate(`http://localhost:${port}/t/ada/page`);
    expect(json(ada)).toEqual({ sub: 'ada' });
    // One session cookie for the host: the second login takes the place of the first.
    expect(await browser.fetch(`http://localhost:${port}/t/bob/page`)).toMatchObject({
      status: 401,
    });
    expect(json(await browser.navigate(`http://localhost:${port}/t/bob/page`))).toEqual({
      sub: 'bob',
    });
    expect(await browser.fetch(`http://localhost:${port}/t/ada/page`)).toMatchObject({
      status: 401,
    });
    expect(ops.ada.count('/token')).toBe(1);
  });

  it('have a strategy, a login route and their own flows for what no request asks for', async () => {
    const { oidc, urls, browser } = await start({
      router: (app, flows) => {
        const strategy = flows.strategy(({ claims }) => ({ id: claims.sub }));
        expect(strategy.name).toBe('oidc');
        app.get('/sign-up', flows.login({ prompt: 'create' }));
        app.use(flows.router());
        app.get('/of', async (req, res) => {
          res.json((await flows.flowOf(req))?.jwks());
        });
      },
    });
    const away = await browser.navigate(`${urls.bob}/sign-up`, ({ url }) =>
      url.includes('/authorize'),
    );
    expect(away.next?.url).toContain('prompt=create');
    expect(json(await browser.fetch(`${urls.bob}/of`))).toEqual({ keys: [] });
    await oidc.flowFor(tenants.clients.get(`localhost:${tenants.port}`) as TenantClient).ready();
    expect(tenants.ops.ada.count('/.well-known/openid-configuration')).toBe(1);
  });
});

describe('errors of handlers', () => {
  it('lead to the login of their tenant', async () => {
    const { urls, browser, ops, clock } = await start();
    await browser.navigate(`${urls.ada}/late`);
    expect(json(await browser.fetch(`${urls.ada}/late`))).toEqual({ ok: true });
    ops.ada.revokeAll();
    clock.advance(3600);
    const hop = { method: 'GET', url: `${urls.ada}/late`, from: undefined } as const;
    const { next } = await browser.perform(hop);
    expect(next?.url).toContain(`${ops.ada.issuer}/authorize?`);
    expect(tenants.errors).toEqual([]);
  });
});

describe('the answer to a login', () => {
  const toCallback = ({ url }: { url: string }): boolean => url.includes('/callback');

  it('is taken at the tenant that asked', async () => {
    const { urls, browser } = await start();
    const away = await browser.navigate(`${urls.ada}/private`, toCallback);
    expect(await browser.navigate(away.next ?? '')).toMatchObject({ status: 200 });
  });

  it.each(['form_post', 'query'] as const)(
    'is refused at another tenant, by %s, and neither code is spent',
    async (mode) => {
      const { urls, browser, ops } = await start(
        mode === 'query' ? { oidc: { responseType: 'code' } } : {},
      );
      const away = await browser.navigate(`${urls.ada}/private`, toCallback);
      const hop = { ...away.next, url: away.next?.url.replace(urls.ada, urls.bob) };
      const refused = await browser.navigate(hop as NonNullable<typeof away.next>);
      expect(refused).toMatchObject({ status: 400, setCookies: [] });
      expect(errorCode(refused)).toBe('ERR_OIDC_TENANT_MISMATCH');
      expect([ops.ada.count('/token'), ops.bob.count('/token')]).toEqual([0, 0]);
    },
  );

  it('is refused at another tenant that has the same client at the same OP', async () => {
    const { urls, browser, ops } = await start({ isOneOp: true });
    const away = await browser.navigate(`${urls.ada}/private`, toCallback);
    const hop = { ...away.next, url: away.next?.url.replace(urls.ada, urls.bob) };
    const refused = await browser.navigate(hop as NonNullable<typeof away.next>);
    expect(errorCode(refused)).toBe('ERR_OIDC_TENANT_MISMATCH');
    expect(ops.ada.count('/token')).toBe(0);
  });

  it('is not taken by the second hop of another tenant', async () => {
    const { urls, browser, ops } = await start({ isOneOp: true });
    const away = await browser.navigate(`${urls.ada}/private`, ({ url }) =>
      url.includes('oidc_response='),
    );
    const url = away.next?.url.replace(urls.ada, urls.bob) ?? '';
    expect(errorCode(await browser.navigate(url))).toBe('ERR_OIDC_RESPONSE_SEAL');
    expect(ops.ada.count('/token')).toBe(0);
  });
});

describe('a session of one tenant, shown at another', () => {
  /** The same session cookie at the other host: copied by hand, or by a cookie for a whole domain. */
  async function carryCookies(from: string, to: string): Promise<void> {
    for (const { key, value } of await tenants.browser.jar.getCookies(from)) {
      await tenants.browser.jar.setCookie(`${key}=${value}; Path=/`, to);
    }
  }

  it.each([false, true])(
    'is not signed in, and goes on at home (one OP and client: %p)',
    async (isOneOp) => {
      const { urls, browser } = await start({ isOneOp });
      await browser.navigate(`${urls.ada}/private`);
      await carryCookies(urls.ada, urls.bob);
      const elsewhere = await browser.fetch(`${urls.bob}/private`);
      expect(elsewhere).toMatchObject({ status: 401 });
      expect(json(await browser.fetch(`${urls.bob}/open`))).toMatchObject({ sub: null });
      expect(json(await browser.fetch(`${urls.ada}/private`))).toMatchObject({ sub: 'ada' });
    },
  );

  it('does not end by the logout of the other', async () => {
    const { urls, browser, ops } = await start({ isOneOp: true });
    await browser.navigate(`${urls.ada}/private`);
    await carryCookies(urls.ada, urls.bob);
    await browser.navigate({ method: 'GET', url: `${urls.bob}/logout`, from: urls.bob });
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
    expect(ops.ada.count('/revoke')).toBe(0);
  });

  it('is left behind by a login there, with all that was in it, also for the same user of the same OP', async () => {
    const { urls, browser } = await start({ isOneOp: true });
    await browser.navigate(`${urls.ada}/private`);
    await browser.navigate(`${urls.ada}/cart/tea`);
    expect(json(await browser.fetch(`${urls.ada}/private`))).toMatchObject({ cart: ['tea'] });
    await carryCookies(urls.ada, urls.bob);
    expect(json(await browser.navigate(`${urls.bob}/private`))).toMatchObject({
      sub: 'ada',
      cart: [],
    });
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
  });

  it('keeps an anonymous cart at login', async () => {
    const { urls, browser } = await start();
    await browser.navigate(`${urls.ada}/cart/tea`);
    expect(json(await browser.navigate(`${urls.ada}/private`))).toMatchObject({ cart: ['tea'] });
  });
});
