import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type PingOneOptions,
  type PingOneRequestClaims,
  pingOneLoginHintToken,
} from 'passport-oidc-hybrid';
import { errorCode, json } from '../support/flow.ts';
import { startPingOneFlow } from '../support/pingone-flow.ts';
import type { PingOneOp, PingOneOpOptions } from '../support/pingone-op.ts';
import type { ProviderFlow } from '../support/provider-flow.ts';

let flow: ProviderFlow<PingOneOp>;
afterEach(() => flow.close());

const start = async (...setup: Parameters<typeof startPingOneFlow>): Promise<void> => {
  flow = await startPingOneFlow(...setup);
};
const visit = (path: string) => flow.browser.navigate(`${flow.baseUrl}${path}`);
const api = () => flow.browser.fetch(`${flow.baseUrl}/api/orders`);
const profile = async (): Promise<unknown[]> => {
  const arrival = await visit('/profile');
  return [arrival.status, errorCode(arrival)];
};
const [ours, foreign] = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
const jwks = { keys: [{ ...ours?.publicKey.export({ format: 'jwk' }), kid: 'k' }] };

describe('login_hint_token', () => {
  const startHinted = (
    alg: 'HS256' | 'HS384' | 'HS512',
    change: {
      subject?: string;
      clientSecret?: string;
      clientId?: string;
      issuer?: string;
      now?: () => number;
    } = {},
  ): Promise<void> =>
    start((op) => ({
      authorizationParams: async () => ({
        login_hint_token: await pingOneLoginHintToken(
          {
            environmentId: op.environmentId,
            issuer: change.issuer ?? op.issuer,
            clientId: change.clientId ?? op.clientId,
            clientSecret: change.clientSecret ?? op.clientSecret,
            now: change.now,
          },
          { subject: change.subject ?? op.users.eve, alg },
        ),
      }),
    }));

  it.each(['HS256', 'HS384', 'HS512'] as const)('by %s tells who signs in', async (alg) => {
    await startHinted(alg);
    expect(json(await visit('/profile'))).toMatchObject({ sub: flow.op.users.eve });
  });

  it.each([
    ['another secret', { clientSecret: 'another secret, of more than 32 bytes' }],
    ['an unknown user', { subject: 'nobody' }],
    ['another application', { clientId: 'other' }],
    ['another environment', { issuer: 'https://auth.pingone.eu/other/as' }],
    ['an end that has passed', { now: () => Date.now() - 3_600_000 }],
  ])('with %s is refused', async (_what, change) => {
    await startHinted('HS256', change);
    expect(await profile()).toEqual([403, 'ERR_OIDC_OP_ERROR']);
  });
});

describe('the request object', () => {
  const claims: PingOneRequestClaims = {
    'pi.template': { name: 'transaction', variables: { sum: '1,000,000', currency: 'USD' } },
    'pi.clientContext': { 'alert.color': 'red' },
    'pi.remoteIp': '192.0.2.1',
    'https://shop.example/order': 17,
  };
  const secretAlgs = ['HS256', 'HS384', 'HS512'] as const;
  const keyAlgs = ['RS256', 'RS384', 'RS512'] as const;

  it.each(secretAlgs)(
    'signed with the client secret by %s, with claims of its own',
    async (alg) => {
      await start(
        { requestObject: { alg, claims }, acrValues: 'Multi_Factor', maxAge: 60 },
        { request_object_signing_alg: alg, require_signed_request_object: true },
      );
      const profileClaims = json(await visit('/profile'));
      expect(profileClaims).toMatchObject({ acr: 'Multi_Factor', auth_time: expect.any(Number) });
      const { requestObject } = flow.op;
      expect(requestObject.header).toEqual({ alg, typ: 'JWT' });
      expect(requestObject.claims).toMatchObject({
        ...claims,
        iss: flow.op.clientId,
        aud: flow.op.issuer,
        acr_values: 'Multi_Factor',
        max_age: 60,
        code_challenge_method: 'S256',
      });
    },
  );

  it.each(keyAlgs)('signed with a private key by %s', async (alg) => {
    await start(
      {
        requestObject: { claims: (req) => ({ ...claims, 'pi.remoteIp': req.ip }) },
        clientKey: { key: ours?.privateKey as never, alg, kid: 'k' },
      } as Partial<PingOneOptions>,
      { request_object_signing_alg: alg, require_signed_request_object: true, jwks } as never,
    );
    expect(await profile()).toEqual([200, undefined]);
    expect(flow.op.requestObject.header).toEqual({ alg, typ: 'JWT', kid: 'k' });
    expect(flow.op.requestObject.claims['pi.remoteIp']).toMatch(/127\.0\.0\.1$/);
  });

  it.each(['get', 'post'] as const)('goes by %s', async (authorizationRequestMethod) => {
    await start({ requestObject: { claims }, authorizationRequestMethod });
    expect(await profile()).toEqual([200, undefined]);
    expect(flow.op.requestObject.claims).toMatchObject(claims);
  });

  const signed = { request_object_signing_alg: 'HS256', require_signed_request_object: true };

  it.each([
    ['there is none', {}, signed],
    ['another algorithm', { requestObject: { alg: 'HS512' } }, signed],
    ['another type', { requestObject: { typ: 'other' } }, signed],
    [
      'an unknown template',
      { requestObject: { claims: { 'pi.template': { name: 'x' } } } },
      signed,
    ],
    ['no address', { requestObject: { claims: { 'pi.remoteIp': 'here' } } }, signed],
    [
      'a foreign key',
      { requestObject: {}, clientKey: { key: foreign?.privateKey, kid: 'k' } },
      { ...signed, request_object_signing_alg: 'RS256', jwks },
    ],
    [
      'an end that has passed',
      { requestObject: { lifetimeSeconds: 60 }, now: () => Date.now() - 3_600_000 },
      signed,
    ],
    [
      'a foreign secret',
      {
        requestObject: {},
        clientSecret: 'another secret of the application, of more than 64 characters in all',
      },
      signed,
    ],
  ] as [string, Partial<PingOneOptions>, PingOneOpOptions['client']][])(
    'is refused where %s',
    async (_what, options, application) => {
      await start(options, application);
      expect(await profile()).toEqual([403, 'ERR_OIDC_OP_ERROR']);
    },
  );

  it('is what counts, whatever became of the parameters beside it', async () => {
    await start({ requestObject: {}, acrValues: 'Multi_Factor' }, signed as never);
    const away = await flow.browser.navigate(
      `${flow.baseUrl}/login?return_to=/profile`,
      () => true,
    );
    const url = new URL(String(away.headers['location']));
    url.searchParams.set('acr_values', 'Single_Factor');
    url.searchParams.set('prompt', 'login');
    const arrival = await flow.browser.navigate(url.href);
    expect(json(arrival)).toMatchObject({ acr: 'Multi_Factor' });
    expect(flow.op.asked()).toMatchObject({ acr_values: 'Multi_Factor' });
  });

  it('does not loosen what is enforced', async () => {
    await start({ requestObject: { claims }, acrValues: 'Multi_Factor' });
    flow.op.settings.policy = 'Single_Factor';
    expect(await profile()).toEqual([400, 'ERR_OIDC_ACR']);
  });
});

describe('client authentication', () => {
  const method = (
    token_endpoint_auth_method: string,
    further: object = {},
  ): PingOneOpOptions['client'] => ({ token_endpoint_auth_method, ...further }) as never;
  const byKey = (key: unknown, alg: string) =>
    ({ clientSecret: undefined, clientKey: { key, alg, kid: 'k' } }) as never;

  it.each([
    ['client_secret_basic', {}, method('client_secret_basic')],
    [
      'client_secret_post',
      { tokenEndpointAuthMethod: 'client_secret_post' },
      method('client_secret_post'),
    ],
    ...(['HS256', 'HS384', 'HS512'] as const).map((alg) => [
      `client_secret_jwt, ${alg}`,
      { tokenEndpointAuthMethod: 'client_secret_jwt', tokenEndpointAuthSigningAlg: alg },
      method('client_secret_jwt', { token_endpoint_auth_signing_alg: alg }),
    ]),
    ...(['RS256', 'RS384', 'RS512'] as const).map((alg) => [
      `private_key_jwt, ${alg}`,
      byKey(ours?.privateKey, alg),
      method('private_key_jwt', { token_endpoint_auth_signing_alg: alg, jwks }),
    ]),
    [
      'none',
      { clientSecret: undefined, tokenEndpointAuthMethod: 'none' },
      method('none', { client_secret: undefined }),
    ],
  ] as [string, Partial<PingOneOptions>, PingOneOpOptions['client']][])(
    'by %s: the code, a refresh',
    async (_method, options, application) => {
      await start(options, application);
      expect(await profile()).toEqual([200, undefined]);
      flow.clock.advance(31);
      expect((await api()).status).toBe(200);
      expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 1, refused: 0 });
    },
  );

  it.each([
    [
      'a secret in the body, where it must sign',
      { tokenEndpointAuthMethod: 'client_secret_post' },
      method('client_secret_jwt', { token_endpoint_auth_signing_alg: 'HS512' }),
    ],
    [
      'another algorithm',
      { tokenEndpointAuthMethod: 'client_secret_jwt', tokenEndpointAuthSigningAlg: 'HS256' },
      method('client_secret_jwt', { token_endpoint_auth_signing_alg: 'HS512' }),
    ],
    [
      'nothing at all',
      { clientSecret: undefined, tokenEndpointAuthMethod: 'none' },
      method('client_secret_basic'),
    ],
    [
      'the secret, where a key must sign',
      { tokenEndpointAuthMethod: 'client_secret_jwt' },
      method('private_key_jwt', { token_endpoint_auth_signing_alg: 'RS256', jwks }),
    ],
    [
      'another secret',
      { clientSecret: 'another secret of the application, of more than 64 characters in all' },
      method('client_secret_basic'),
    ],
    [
      'another key',
      byKey(foreign?.privateKey, 'RS256'),
      method('private_key_jwt', { token_endpoint_auth_signing_alg: 'RS256', jwks }),
    ],
  ] as [string, Partial<PingOneOptions>, PingOneOpOptions['client']][])(
    'by %s is refused, and nobody is signed in',
    async (_method, options, application) => {
      await start(options, application);
      expect(await profile()).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
      expect((await api()).status).toBe(401);
    },
  );

  it('by a new key, while the old one is still known', async () => {
    const [next, now] = [foreign, ours].map((pair, index) => ({
      key: pair?.privateKey as never,
      kid: index === 0 ? 'next' : 'now',
    }));
    const both = { keys: [] as object[] };
    await start(
      { clientSecret: undefined, clientKey: [next, now] } as never,
      method('private_key_jwt', { token_endpoint_auth_signing_alg: 'RS256', jwks: both }),
    );
    both.keys.push(...flow.oidc.jwks().keys.map((key) => ({ ...key })));
    expect(both.keys).toMatchObject([{ kid: 'next' }, { kid: 'now' }]);
    expect(await profile()).toEqual([200, undefined]);
  });
});
