import { afterEach, describe, expect, it } from '@jest/globals';
import { tenantFlows } from 'passport-oidc-hybrid';
import { errorCode, json, sealingSecret } from '../support/flow.ts';
import { startTenants, type Tenants } from '../support/tenants.ts';

describe('an issuer that a tenant has said', () => {
  let tenants: Tenants;
  afterEach(() => tenants.close());

  async function start(dangerouslyAllowInsecureRequests: boolean | undefined) {
    tenants = await startTenants({ oidc: { dangerouslyAllowInsecureRequests } });
    const { browser, urls, ops } = tenants;
    return { arrival: await browser.navigate(`${urls.bob}/private`), op: ops.bob };
  }

  it.each([undefined, false])(
    'is asked nothing at http, where this application has neighbors: %s',
    async (isAllowed) => {
      const { arrival, op } = await start(isAllowed);
      expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_TENANT_OPTIONS']);
      expect(op.requests).toEqual([]);
    },
  );

  it('may be there while the application is developed', async () => {
    const { arrival } = await start(true);
    expect(json(arrival)).toMatchObject({ sub: 'bob' });
  });
});

describe('the issuer of a tenant', () => {
  const issuer = 'http://localhost:4000';
  const flowFor = (common: object, own: object) => () =>
    tenantFlows({
      secret: sealingSecret,
      resolveClient: () => undefined,
      clientId: 'client',
      clientSecret: 'a secret of this client',
      baseUrl: 'http://localhost:3000',
      ...common,
    }).flowFor({ id: 'ada', ...own });

  it.each([
    [{}, { issuer: 'https://op.example' }],
    [{ issuer }, {}],
    [{ dangerouslyAllowInsecureRequests: true }, { issuer }],
  ])('may be http where the application says so: %j, %j', (common, own) => {
    expect(flowFor(common, own)).not.toThrow();
  });

  it.each([
    [{}, { issuer }],
    [{}, { issuer: 'HTTP://127.0.0.1' }],
    [{}, { issuer: ' http://[::1]/' }],
    [{}, { issuer: 'no URL' }],
    [{ issuer: 'http://localhost:5000' }, { issuer }],
    [{ dangerouslyAllowInsecureRequests: false }, { issuer }],
  ])('may not by its own data: %j, %j', (common, own) => {
    expect(flowFor(common, own)).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID', option: 'issuer' }),
    );
  });
});
