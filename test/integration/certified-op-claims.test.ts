import { afterEach, describe, expect, it } from '@jest/globals';
import type { ClaimsOption } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

/** Only what is asked for by name is in the ID Token: Core 5.4. */
const start = (claims: ClaimsOption) =>
  startCertifiedFlow({
    oidc: { resource: undefined, scope: 'openid', claims, loadUserinfo: ['name'] },
    op: {
      configuration: {
        conformIdTokenClaims: true,
        claims: { openid: ['sub'], profile: ['name'], email: ['email'], phone: ['phone_number'] },
      },
      features: { claimsParameter: { enabled: true } },
    },
    routes: (app, { requireAuth }) =>
      app.get('/user', requireAuth(), (req, res) => {
        res.json({ claims: req.oidc?.claims, loaded: req.oidc?.loadedUserinfo });
      }),
  });

describe('Core 5.5 the claims parameter at a certified OP', () => {
  it('brings each claim to the place it was asked for', async () => {
    flow = await start({
      idToken: { email: { essential: true, value: 'ada@shop.example' } },
      userinfo: { name: { essential: true } },
    });
    const { claims, loaded } = json(await new Browser().navigate(`${flow.baseUrl}/user`));
    expect(claims).toMatchObject({ sub: 'ada', email: 'ada@shop.example' });
    expect(claims).not.toHaveProperty('name');
    expect(loaded).toEqual({ name: 'Ada Marwick' });
  });

  it.each<[string, ClaimsOption]>([
    ['CLAIM_MISSING', { idToken: { phone_number: { essential: true } } }],
    ['CLAIM_MISSING', { userinfo: { phone_number: { essential: true } } }],
    ['CLAIM_VALUE', { idToken: { email: { values: ['eve@shop.example'] } } }],
  ])('%s refuses the login: %j', async (code, claims) => {
    flow = await start(claims);
    const refused = await new Browser().navigate(`${flow.baseUrl}/user`);
    expect([refused.status, errorCode(refused)]).toEqual([400, `ERR_OIDC_${code}`]);
  });
});
