import { afterEach, describe, expect, it } from '@jest/globals';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorizationDetail } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

const detail = { type: 'order', actions: ['read'], identifier: 'order-7' };

/** An OP that knows orders, and takes no detail of another kind. */
const start = (
  asked: readonly AuthorizationDetail[],
  push = false,
  grants: (asked: object[] | undefined) => object[] | undefined = (all) => all,
) =>
  startCertifiedFlow({
    oidc: {
      authorizationDetails: asked,
      ...(push ? { pushedAuthorizationRequests: 'always' as const } : {}),
    },
    op: {
      client: { authorization_details_types: ['order'] },
      features: {
        richAuthorizationRequests: {
          enabled: true,
          types: {
            order: {
              validate(_ctx: KoaContextWithOIDC, { identifier }: { identifier?: unknown }) {
                if (typeof identifier === 'string') return;
                throw new errors.InvalidAuthorizationDetails('an order has an identifier');
              },
            },
          },
          authorizationDetailsForGrantSource: ({ oidc }: KoaContextWithOIDC) =>
            JSON.parse(String(oidc.params?.['authorization_details'] ?? '[]')),
          authorizationDetailsForAccessToken: (
            _ctx: KoaContextWithOIDC,
            _token: object,
            source: { rar?: object[] },
          ) => grants(source.rar),
          authorizationDetailsForIntrospection: () => [],
        },
      },
    },
    routes: (app, { requireAuth }) =>
      app.get('/details', requireAuth(), (req, res) => {
        res.json(req.oidc.authorizationDetails);
      }),
  });

describe('RFC 9396 authorization details at a certified OP', () => {
  it.each([false, true])('are granted, and stay over a refresh; pushed: %s', async (isPushed) => {
    flow = await start([detail], isPushed);
    const browser = new Browser();
    expect(json(await browser.navigate(`${flow.baseUrl}/details`))).toEqual([detail]);
    flow.clock.advance(31);
    expect(json(await browser.fetch(`${flow.baseUrl}/details`))).toEqual([detail]);
    expect(flow.op.grants.refresh_token).toBe(1);
  });

  it.each<[string, () => object[] | undefined]>([
    ['nothing', () => []],
    ['not a word of them', () => undefined],
    ['what nobody asked for', () => [detail, { type: 'payment', amount: 1000 }]],
  ])('are refused where it grants %s', async (_what, grants) => {
    flow = await start([detail], false, grants);
    const refused = await new Browser().navigate(`${flow.baseUrl}/details`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_AUTHORIZATION_DETAILS']);
  });

  it('are refused by it', async () => {
    flow = await start([{ type: 'order' }]);
    const refused = await new Browser().navigate(`${flow.baseUrl}/details`);
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_OP_ERROR']);
    await flow.close();
    flow = await start([{ type: 'order' }], true);
    const early = await new Browser().navigate(`${flow.baseUrl}/details`);
    expect([early.status, errorCode(early)]).toEqual([502, 'ERR_OIDC_PAR_REFUSED']);
  });
});
