import { afterEach, describe, expect, it } from '@jest/globals';
import type { Configuration } from 'oidc-provider';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

/** By Core 5.4 claims of a scope are the UserInfo Endpoint's, where a flow brings an access token. */
function start(
  oidc: Partial<CommonOptions>,
  client: Record<string, unknown> = {},
  configuration: Partial<Configuration> = {},
) {
  return startCertifiedFlow({
    // An access token for an API is none for the UserInfo Endpoint of this OP.
    oidc: { resource: undefined, ...oidc },
    op: {
      client,
      configuration: {
        conformIdTokenClaims: true,
        scopes: ['openid', 'profile', 'email'],
        ...configuration,
      },
      features: { jwtUserinfo: { enabled: true } },
    },
    routes: (app, { requireAuth }) =>
      app.get('/user', requireAuth(), async (req, res) => {
        const { claims, loadedUserinfo } = req.oidc ?? {};
        res.json({ claims, loadedUserinfo, asked: await req.oidc?.userinfo() });
      }),
  });
}

describe('Core 5.3 UserInfo of a certified OP', () => {
  it.each([
    ['plain', {}],
    ['signed', { userinfo_signed_response_alg: 'ES256' }],
  ])('%s', async (_how, client) => {
    flow = await start({ loadUserinfo: ['email'] }, client);
    const arrival = await new Browser().navigate(`${flow.baseUrl}/user`);
    const { claims, loadedUserinfo, asked } = json(arrival);
    expect(claims).not.toHaveProperty('email');
    expect(loadedUserinfo).toEqual({ email: 'ada@shop.example' });
    expect(asked).toMatchObject({ sub: 'ada', name: 'Ada Marwick', email: 'ada@shop.example' });
  });

  it.each([
    ['plain', {}],
    ['signed', { userinfo_signed_response_alg: 'ES256' }],
  ])('is refused where it is of somebody else: %s', async (_how, client) => {
    flow = await start({ loadUserinfo: true }, client, {
      findAccount(ctx, sub) {
        const accountId = ctx.oidc.route === 'userinfo' ? 'eve' : sub;
        return { accountId, claims: () => ({ sub: accountId }) };
      },
    });
    const refused = await new Browser().navigate(`${flow.baseUrl}/user`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_USERINFO_SUB']);
  });

  it('is refused plain where a signature is registered', async () => {
    flow = await start({ loadUserinfo: true, userinfoSignedResponseAlg: 'ES256' });
    const refused = await new Browser().navigate(`${flow.baseUrl}/user`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_USERINFO_UNSIGNED']);
  });

  it('is refused to a token for something else', async () => {
    flow = await start({ loadUserinfo: true, resource: 'https://api.example' });
    const refused = await new Browser().navigate(`${flow.baseUrl}/user`);
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_USERINFO_REFUSED']);
  });
});
