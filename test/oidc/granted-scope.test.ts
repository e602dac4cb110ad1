import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function signIn(scope?: string): Promise<void> {
  flow = await startFlow({
    routes: (app, oidc) => {
      app.get('/token', oidc.requireAuth(), async (req, res) => {
        res.json(await req.oidc?.accessToken());
      });
    },
  });
  flow.op.lie({ token: { json: (body) => ({ ...body, scope }) } });
  await flow.signIn();
}

const scope = async (): Promise<unknown> =>
  json(await flow.browser.fetch(`${flow.baseUrl}/token`))['scope'];

describe('RFC 6749 5.1 scope', () => {
  it('of the token response is that of the access token', async () => {
    await signIn('openid orders:read');
    expect(await scope()).toEqual(['openid', 'orders:read']);
  });

  it('that is left out is as requested', async () => {
    await signIn();
    expect(await scope()).toEqual(['openid', 'profile', 'email']);
  });

  it('may be reduced by a refresh, and then stays so where the next one names none', async () => {
    await signIn('openid orders:read orders:write');
    flow.clock.advance(4000);
    expect(await scope()).toEqual(['openid', 'orders:read', 'orders:write']);
    flow.op.lie({ refresh: { json: (body) => ({ ...body, scope: 'openid orders:read' }) } });
    flow.clock.advance(4000);
    expect(await scope()).toEqual(['openid', 'orders:read']);
    flow.op.lie({ refresh: {} });
    flow.clock.advance(4000);
    expect(await scope()).toEqual(['openid', 'orders:read']);
    expect(flow.op.count('/token', 'refresh_token')).toBe(3);
  });
});
