import { afterEach, describe, expect, it } from '@jest/globals';
import { subscribe, type TenantClient } from 'passport-oidc-hybrid';
import request from 'supertest';
import { Browser } from '../support/browser.ts';
import { errorCode } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';
import { startTenants, type Tenants, type TenantsSetup } from '../support/tenants.ts';

let tenants: Tenants;
afterEach(() => tenants.close());

async function start(setup: TenantsSetup = {}): Promise<Tenants> {
  tenants = await startTenants(setup);
  return tenants;
}

function change(id: 'ada' | 'bob', changes: Partial<TenantClient>): void {
  for (const [host, client] of tenants.clients) {
    if (client.id === id) tenants.clients.set(host, { ...client, ...changes } as TenantClient);
  }
}

describe('tenants that change', () => {
  it('get their new secret at once, and logins under way finish with it', async () => {
    const { urls, browser, ops } = await start();
    const away = await browser.navigate(`${urls.ada}/private`, ({ url }) =>
      url.includes('/callback'),
    );
    ops.ada.clientSecret = 'the next secret of the client';
    change('ada', { clientSecret: ops.ada.clientSecret });
    expect(await browser.navigate(away.next ?? '')).toMatchObject({ status: 200 });
  });

  it('with the old secret would be refused by the OP', async () => {
    const { urls, browser, ops } = await start();
    const away = await browser.navigate(`${urls.ada}/private`, ({ url }) =>
      url.includes('/callback'),
    );
    ops.ada.clientSecret = 'the next secret of the client';
    expect(errorCode(await browser.navigate(away.next ?? ''))).toBe('ERR_OIDC_CLIENT_REFUSED');
  });

  it('never have a refresh token sent to another OP', async () => {
    const { urls, browser, ops } = await start();
    await browser.navigate(`${urls.ada}/private`);
    const { issuer, clientId, clientSecret } = ops.bob;
    change('ada', { issuer, clientId, clientSecret });
    tenants.clock.advance(3600);
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
    expect(ops.bob.count('/token')).toBe(0);
  });

  it('are discovered once, as long as they have a place in memory', async () => {
    const { urls, ops } = await start({ oidc: { maxTenants: 1 } });
    const discoveries = (): number => ops.ada.count('/.well-known/openid-configuration');
    await new Browser().navigate(`${urls.ada}/private`);
    await new Browser().navigate(`${urls.ada}/private`);
    expect(discoveries()).toBe(1);
    await new Browser().navigate(`${urls.bob}/private`);
    await new Browser().navigate(`${urls.ada}/private`);
    expect(discoveries()).toBe(2);
  });

  it('whose place went to another finish the logins and keep the sessions that they had', async () => {
    const { urls, browser, ops } = await start({ oidc: { maxTenants: 1 } });
    const away = await browser.navigate(`${urls.ada}/private`, ({ url }) =>
      url.includes('/callback'),
    );
    await new Browser().navigate(`${urls.bob}/private`);
    expect(await browser.navigate(away.next ?? '')).toMatchObject({ status: 200 });
    await new Browser().navigate(`${urls.bob}/private`);
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
    expect(ops.ada.count('/token')).toBe(1);
  });

  it('refresh a login once, also where its flow gave way in the middle', async () => {
    const arrived = createGate();
    const { urls, browser, ops, clock } = await start({
      oidc: { maxTenants: 1 },
      resolve: (rig) => (req) => {
        if (req.path === '/second') void arrived.wait();
        return rig.clients.get(req.headers.host ?? '');
      },
    });
    await browser.navigate(`${urls.ada}/private`);
    clock.advance(3600);
    const held = ops.ada.hold('/token');
    const first = browser.fetch(`${urls.ada}/private`);
    await held.arrived;
    await new Browser().navigate(`${urls.bob}/private`);
    const second = browser.fetch(`${urls.ada}/private/second`);
    await arrived.reached;
    await new Browser().navigate(`${urls.bob}/open`);
    held.release();
    expect([await first, await second]).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect(ops.ada.refreshes).toEqual({ granted: 1, reused: 0 });
  });
});

describe('a path that is no route of the flow', () => {
  it.each([
    ['/login', 1],
    ['/login/', 1],
    ['/login//', 0],
  ])('has no tenant looked for: %s', async (path, lookups) => {
    const asked: string[] = [];
    const { urls } = await start({
      resolve: () => (req) => {
        asked.push(req.path);
        return undefined;
      },
    });
    await request(urls.ada).get(path).expect(404);
    expect(asked).toHaveLength(lookups);
  });
});

describe('sessions of tenants in one store', () => {
  it('end as those of a tenant whose flow is in use, however many tenants there are', async () => {
    const { urls, browser, store, clients } = await start({
      oidc: { maxTenants: 2, indexSessions: true },
    });
    const ends: unknown[] = [];
    const stop = subscribe('logout', ({ by }) => ends.push(by));
    await browser.navigate(`${urls.ada}/private`);
    const [sessionId = ''] = await keysOf(store).then((keys) =>
      keys.filter((key) => !key.includes(':')),
    );
    const bob = clients.get(`127.0.0.1:${tenants.port}`) as TenantClient;
    for (const id of ['bob', 'carol']) {
      clients.set(`127.0.0.1:${tenants.port}`, { ...bob, id } as TenantClient);
      await new Browser().navigate(`${urls.bob}/open`);
      await new Browser().navigate(`${urls.ada}/open`);
    }
    await new Promise((resolve) => store.destroy(sessionId, resolve));
    stop();
    expect(ends).toEqual(['application']);
    expect(await keysOf(store)).toEqual([]);
  });

  it('are ended by their own OP, by back-channel logout, and by no other', async () => {
    const { urls, browser, ops } = await start({
      isOneOp: true,
      oidc: { backchannelLogout: true },
    });
    await browser.navigate(`${urls.ada}/private`);
    await browser.navigate(`${urls.bob}/private`);
    const token = await ops.ada.logoutToken({ claims: { sub: 'ada' } });
    await request(urls.bob)
      .post('/backchannel-logout')
      .type('form')
      .send({ logout_token: token })
      .expect(200);
    expect(await browser.fetch(`${urls.bob}/private`)).toMatchObject({ status: 401 });
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
  });

  it('are not ended by a token of another OP', async () => {
    const { urls, browser, ops } = await start({ oidc: { backchannelLogout: true } });
    await browser.navigate(`${urls.ada}/private`);
    const token = await ops.bob.logoutToken({ claims: { sub: 'ada' } });
    const { body } = await request(urls.ada)
      .post('/backchannel-logout')
      .type('form')
      .send({ logout_token: token })
      .expect(400);
    expect(body).toMatchObject({ error: 'invalid_request' });
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
  });

  it('are ended by an administrator, through the flow of the tenant', async () => {
    const { urls, browser, clients, port, oidc } = await start({
      oidc: { indexSessions: true },
      isOneOp: true,
    });
    await browser.navigate(`${urls.ada}/private`);
    await browser.navigate(`${urls.bob}/private`);
    const flow = oidc.flowFor(clients.get(`localhost:${port}`) as TenantClient);
    expect(await flow.endSessions({ sub: 'ada' })).toBe(1);
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
    expect(await browser.fetch(`${urls.bob}/private`)).toMatchObject({ status: 200 });
  });

  it.each([1, 1000])(
    'take their records along when they are destroyed (maxTenants: %d)',
    async (maxTenants) => {
      const { urls, browser, store } = await start({ oidc: { maxTenants } });
      await browser.navigate(`${urls.ada}/private`);
      const [sessionId = ''] = await keysOf(store).then((keys) =>
        keys.filter((key) => !key.includes(':')),
      );
      await new Browser().navigate(`${urls.bob}/open`);
      await new Promise((resolve) => store.destroy(sessionId, resolve));
      expect(await keysOf(store)).toEqual([]);
    },
  );
});

function keysOf(store: Tenants['store']): Promise<string[]> {
  return new Promise((resolve, reject) => {
    store.all?.((error, sessions) =>
      error ? reject(error) : resolve(Object.keys(sessions ?? {})),
    );
  });
}
