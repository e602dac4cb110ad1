import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import type { HybridFlowOptions } from 'passport-oidc-hybrid';
import { errorCode, json } from '../support/flow.ts';
import {
  type Certificates,
  type MutualTlsFlow,
  type MutualTlsSetup,
  makeCertificates,
  startMutualTlsFlow,
} from '../support/mutual-tls-flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificates: Certificates;
let flow: MutualTlsFlow;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] };

const byKey = {
  oidc: { clientKey: privateKey, tokenEndpointAuthMethod: 'private_key_jwt' },
  client: {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks,
  },
};
const byCertificate = {
  oidc: { tokenEndpointAuthMethod: 'tls_client_auth' },
  client: {
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'client.example',
  },
};

const withDpop = {
  oidc: {
    ...byKey.oidc,
    certificateBoundAccessTokens: false,
    dpop: true,
  },
  client: {
    ...byKey.client,
    tls_client_certificate_bound_access_tokens: false,
    dpop_bound_access_tokens: true,
  },
};

const signed = { ...byKey.client, request_object_signing_alg: 'ES256' };

async function start(
  version: '2.0' | '1.0 Final',
  { oidc, client }: { oidc: object; client: object },
  more: object = {},
  features: Readonly<Record<string, unknown>> = {},
  routes: MutualTlsSetup['routes'] = () => {},
): Promise<MutualTlsFlow> {
  flow = await startMutualTlsFlow(certificates, {
    oidc: {
      profile: version === '2.0' ? 'fapi2' : 'fapi1-advanced',
      ...oidc,
      ...more,
    } as Partial<HybridFlowOptions>,
    client: { authorization_signed_response_alg: 'ES256', ...client },
    clientAuthMethods: ['private_key_jwt'],
    routes,
    ...('id_token_signed_response_alg' in client ? { algorithms: ['ES256', 'RS256'] } : {}),
    features: {
      fapi: { enabled: true, profile: version },
      jwtResponseModes: { enabled: true },
      requestObjects: { enabled: true, requireSignedRequestObject: version === '1.0 Final' },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: version === '2.0',
      },
      ...features,
    },
  });
  return flow;
}

const visit = () => flow.browser.navigate(`${flow.baseUrl}/private`);

describeWithParts(
  ['openssl'],
  'the profiles at a certified OP that holds to them, over TLS',
  () => {
    beforeAll(async () => {
      certificates = await makeCertificates();
    });
    afterEach(() => flow.close());

    it.each([
      ['private_key_jwt', byKey],
      ['tls_client_auth', byCertificate],
    ])('FAPI 2.0 with %s: sign in, call an API, refresh', async (_method, client) => {
      await start('2.0', client);
      const arrival = await visit();
      expect(json(arrival)).toEqual({ sub: 'ada' });
      const atOp = arrival.history.find(({ url }) => url.startsWith(`${flow.op.issuer}/auth?`));
      expect([...new URL(atOp?.url ?? 'none:').searchParams.keys()]).toEqual([
        'client_id',
        'request_uri',
      ]);
      flow.clock.advance(61);
      expect((await flow.browser.navigate(`${flow.baseUrl}/orders`)).status).toBe(200);
      expect(flow.op.grants).toMatchObject({ authorization_code: 1, refresh_token: 1, refused: 0 });
    });

    it.each(['2.0', '1.0 Final'] as const)(
      'FAPI %s sends no token without TLS',
      async (version) => {
        const { api, apiUrl } = await start(
          version,
          version === '2.0' ? byKey : { ...byKey, client: signed },
          {},
          {},
          (app, oidc) => {
            app.get('/fetch', oidc.requireAuth(), async (req, res) => {
              await req.oidc.fetch(String(req.query['url']));
              res.end();
            });
            app.get('/headers', oidc.requireAuth(), async (req, res) => {
              await req.oidc.headersFor('GET', String(req.query['url']));
              res.end();
            });
            app.use(oidc.errorHandler());
          },
        );
        await visit();
        const statuses = async (url: string): Promise<number[]> => {
          const asked = ['/fetch', '/headers'].map((path) =>
            flow.browser.fetch(`${flow.baseUrl}${path}?url=${url}/orders`),
          );
          return (await Promise.all(asked)).map(({ status }) => status);
        };
        expect(await statuses(apiUrl)).toEqual([200, 200]);
        expect(await statuses(apiUrl.replace('https:', 'http:'))).toEqual([500, 500]);
        expect(api.calls).toEqual({ accepted: 1, refused: [] });
      },
    );

    it('FAPI 2.0 with private_key_jwt and DPoP: sign in, call an API by fetch and proxies, refresh', async () => {
      const { api, nonces, clock, op } = await start('2.0', withDpop);
      expect(json(await visit())).toEqual({ sub: 'ada' });
      const paths = ['/orders', '/api/orders', '/own-proxy/orders'];
      for (const path of paths) {
        const answer = await flow.browser.fetch(`${flow.baseUrl}${path}`);
        expect(json(answer)).toMatchObject({ sub: 'ada', cnf: { jkt: expect.any(String) } });
      }
      nonces.next();
      expect(await flow.browser.fetch(`${flow.baseUrl}/orders`)).toMatchObject({ status: 200 });
      clock.advance(61);
      expect(await flow.browser.fetch(`${flow.baseUrl}/orders`)).toMatchObject({ status: 200 });
      expect(api.calls).toEqual({ accepted: 5, refused: ['use_dpop_nonce'] });
      expect(op.grants).toMatchObject({ authorization_code: 1, refresh_token: 1, refused: 0 });
    });

    it('FAPI 2.0 with DPoP: a stolen token is worth nothing', async () => {
      const { api, apiUrl } = await start('2.0', withDpop, {}, {}, (app, oidc) =>
        app.get('/token', oidc.requireAuth(), async (req, res) => {
          res.json(await req.oidc.accessToken());
        }),
      );
      const { value } = json(await flow.browser.navigate(`${flow.baseUrl}/token`));
      for (const scheme of ['Bearer', 'DPoP']) {
        const headers = { Authorization: `${scheme} ${value}` };
        expect(await flow.browser.fetch(`${apiUrl}/orders`, { headers })).toMatchObject({
          status: 401,
        });
      }
      expect(api.calls).toEqual({
        accepted: 0,
        refused: ['the scheme is Bearer', 'no proof, or several'],
      });
    });

    it('FAPI 2.0 refuses tokens that are bound to nothing, as they come without the profile', async () => {
      const unbound = { profile: undefined, responseType: 'code', dpop: undefined };
      await start('2.0', withDpop, unbound);
      expect((await visit()).status).toBeGreaterThanOrEqual(400);
      expect(flow.op.grants.authorization_code).toBe(0);
    });

    const noProfile = { fapi: { enabled: false } };
    const signedByRsa = { id_token_signed_response_alg: 'RS256' };

    it.each<[string, Parameters<typeof start>, string]>([
      [
        'FAPI 2.0: no requests are pushed',
        ['2.0', byKey, {}, { ...noProfile, pushedAuthorizationRequests: { enabled: false } }],
        'METADATA',
      ],
      [
        'FAPI 2.0: ID Tokens are signed by RS256',
        ['2.0', { ...byKey, client: { ...byKey.client, ...signedByRsa } }, {}, noProfile],
        'ID_TOKEN_ALG',
      ],
      [
        'FAPI 2.0: tokens are not bound',
        [
          '2.0',
          {
            ...byKey,
            client: { ...byKey.client, tls_client_certificate_bound_access_tokens: false },
          },
          {},
          noProfile,
        ],
        'TOKEN_BINDING',
      ],
      [
        'FAPI 1.0 Advanced: ID Tokens are signed by RS256',
        ['1.0 Final', { ...byKey, client: { ...signed, ...signedByRsa } }, {}, noProfile],
        'ID_TOKEN_ALG',
      ],
      [
        'FAPI 1.0 Advanced: the state is not in the ID Token',
        ['1.0 Final', { ...byKey, client: signed }, {}, noProfile],
        'S_HASH_MISSING',
      ],
    ])('takes no OP that leaves the profile: %s', async (_what, setup, code) => {
      await start(...setup);
      expect(errorCode(await visit())).toBe(`ERR_OIDC_${code}`);
      expect(await flow.browser.fetch(`${flow.baseUrl}/private`)).toMatchObject({ status: 401 });
    });

    it.each([
      ['what was asked for', 'openid profile email', undefined],
      ['less', 'openid', undefined],
      ['nothing that it names', undefined, undefined],
      ['more', 'openid payments', 'ERR_OIDC_SCOPE'],
    ])('FAPI 1.0 Advanced, where the OP grants %s: %s', async (_what, scope, code) => {
      /** Rewrites the answer of the token endpoint. */
      const fetch = async (input: string, init: RequestInit): Promise<Response> => {
        const response = await globalThis.fetch(input, init);
        if (!input.endsWith('/token')) return response;
        return Response.json({ ...((await response.json()) as object), scope });
      };
      await start('1.0 Final', { ...byKey, client: signed }, { fetch });
      const arrival = await visit();
      expect([errorCode(arrival), arrival.status]).toEqual([code, code ? 400 : 200]);
    });

    it.each([
      ['a plain code', { responseType: 'code', requestObject: {} }],
      ['a request that is not signed', { responseType: 'code id_token' }],
    ])('FAPI 1.0 Advanced refuses %s, which goes without the profile', async (_what, more) => {
      await start('1.0 Final', { ...byKey, client: signed }, { profile: undefined, ...more });
      expect((await visit()).status).toBeGreaterThanOrEqual(400);
      expect(flow.op.grants.authorization_code).toBe(0);
    });

    it.each([
      ['"code id_token"', {}],
      ['"code" by JARM', { responseType: 'code' }],
      ['"code id_token", pushed', { pushedAuthorizationRequests: 'always' }],
    ])('FAPI 1.0 Advanced: %s', async (_way, more) => {
      const client = { ...signed, authorization_signed_response_alg: 'ES256' };
      await start('1.0 Final', { oidc: byKey.oidc, client }, more);
      expect(json(await visit())).toEqual({ sub: 'ada' });
      expect((await flow.browser.navigate(`${flow.baseUrl}/orders`)).status).toBe(200);
    });
  },
);
