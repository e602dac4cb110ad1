import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { expectRefusal } from '../../support/refusals.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow({
    oidc: { loadUserinfo: ['name', 'email', '_claim_names'] },
    routes: (app, { requireAuth }) =>
      app.get('/loaded', requireAuth(), (req, res) => {
        res.json(req.oidc?.loadedUserinfo);
      }),
  });
});
afterEach(() => flow.close());

describe('oidcc-client-test-userinfo-bearer-header', () => {
  it('the access token goes in the header, and nowhere else', async () => {
    await flow.signIn();
    const { method, path, headers, parameters } = flow.op.lastRequest('/userinfo');
    expect([method, path, parameters]).toEqual(['GET', '/userinfo', {}]);
    expect(headers.authorization).toBe(`Bearer ${flow.op.accessTokens.back[0]}`);
  });
});

describe('oidcc-client-test-userinfo-invalid-sub', () => {
  it('an answer about another user refuses the login', async () => {
    const json = (body: Record<string, unknown>) => ({ ...body, sub: 'not ada' });
    await expectRefusal(flow, { userinfo: { json } }, 'USERINFO_SUB');
  });
});

describe('oidcc-client-test-userinfo-signed', () => {
  it.each(['RS256', 'ES256'])('an answer signed by %s is verified and used', async (alg) => {
    await flow.op.rotateKeys(alg);
    flow.op.lie({ signedUserinfo: {} });
    await flow.signIn();
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ name: 'Ada Marwick', email: 'ada@shop.example' });
  });
});

describe('oidcc-client-test-scope-userinfo-claims', () => {
  it('the scopes are asked for, and their claims come by UserInfo', async () => {
    await flow.signIn();
    const { scope } = flow.op.lastRequest('/authorize').parameters;
    expect(scope).toBe('openid profile email');
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ name: 'Ada Marwick', email: 'ada@shop.example' });
  });
});

describe('oidcc-client-test-aggregated-claims', () => {
  it('claims of other sources come as the OP sends them, for the application to verify', async () => {
    flow.op.userinfo = { _claim_names: { address: 'src1' }, _claim_sources: {} };
    await flow.signIn();
    const loaded = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ _claim_names: { address: 'src1' } });
  });
});
