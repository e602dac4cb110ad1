import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Auth0Options } from 'passport-oidc-hybrid';
import { startAuth0Flow } from '../support/auth0-flow.ts';
import type { Auth0Op } from '../support/auth0-op.ts';
import { errorCode, json } from '../support/flow.ts';
import type { ProviderFlow } from '../support/provider-flow.ts';

let flow: ProviderFlow<Auth0Op>;
afterEach(() => flow.close());

const start = async (...setup: Parameters<typeof startAuth0Flow>): Promise<void> => {
  flow = await startAuth0Flow(...setup);
};
const visit = (path: string) => flow.browser.navigate(`${flow.baseUrl}${path}`);
const api = () => flow.browser.fetch(`${flow.baseUrl}/api/orders`);
const logOut = () =>
  flow.browser.navigate({ method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl });

describe('auth0(), with the stand-in', () => {
  it.each([
    ['code', 'query'],
    ['code', 'form_post'],
    ['code', 'fragment'],
    ['code id_token', 'form_post'],
    ['code id_token', 'fragment'],
    ['code token', 'form_post'],
    ['code token', 'fragment'],
    ['code id_token token', 'form_post'],
    ['code id_token token', 'fragment'],
  ] as const)(
    '"%s" by %s: sign in, call the API, refresh, sign out',
    async (responseType, responseMode) => {
      await start({ responseType, responseMode });
      const arrival = await visit('/profile');
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/profile` });
      expect(json(arrival)).toMatchObject({ sub: 'auth0|ada', iss: flow.op.issuer });
      expect(flow.op.issuer).toMatch(/\/$/);
      expect(flow.op.asked()).toMatchObject({ audience: flow.op.audience });

      const first = await api();
      expect(json(first)).toMatchObject({ sub: 'auth0|ada' });
      flow.clock.advance(31);
      const second = await api();
      expect(second.status).toBe(200);
      expect(json(second)['authorization']).not.toBe(json(first)['authorization']);
      expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 1, refused: 0 });

      expect(await logOut()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(flow.op.logouts.map(({ path }) => path)).toEqual(['/oidc/logout']);
      expect((await api()).status).toBe(401);
    },
  );

  it('gets a token of reduced scope by a refresh, and leaves the login what it was', async () => {
    await start();
    const { sub, name, email } = json(await visit('/profile'));
    expect((await visit('/scope?scope=orders:read')).text).toBe('["orders:read"]');
    // With an ID Token, as Auth0 says, that has the claims of this scope only.
    expect((await visit('/scope?scope=openid%20orders:read')).text).toBe('["orders:read"]');
    expect(flow.op.grants).toMatchObject({ refresh_token: 2, refused: 0 });
    expect(json(await visit('/profile'))).toMatchObject({ sub, name, email });
    const { authorization } = json(await api());
    expect(decodeJwt(String(authorization).slice('Bearer '.length))).toMatchObject({
      scope: expect.stringContaining('orders:write'),
    });
  });

  it('gets no token of a scope that the login was not granted', async () => {
    await start();
    const refused = await visit('/scope?scope=orders:delete');
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_TARGET_REFUSED']);
    expect((await api()).status).toBe(200);
  });

  it('signs nobody in by an ID Token that is signed with the client secret', async () => {
    await start({}, { client: { id_token_signed_response_alg: 'HS256' } });
    const refused = await visit('/profile');
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_ALG']);
    expect((await api()).status).toBe(401);
  });

  it.each([
    ['a secret in the header', 'client_secret_basic'],
    ['a secret in the body', 'client_secret_post'],
  ] as const)('takes a client by %s', async (_how, tokenEndpointAuthMethod) => {
    await start(
      { tokenEndpointAuthMethod },
      { client: { token_endpoint_auth_method: tokenEndpointAuthMethod } },
    );
    expect((await visit('/profile')).status).toBe(200);
  });

  it.each(['client_secret_basic', 'client_secret_post'] as const)(
    'takes no client by another secret (%s)',
    async (tokenEndpointAuthMethod) => {
      await start(
        { tokenEndpointAuthMethod, clientSecret: 'that of another application' },
        { client: { token_endpoint_auth_method: tokenEndpointAuthMethod } },
      );
      const refused = await visit('/profile');
      expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
      expect((await api()).status).toBe(401);
    },
  );

  it.each([true, false])(
    'takes a client by a key that it knows (%s), and no other',
    async (isKnown) => {
      const keys = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
      const known = keys[isKnown ? 0 : 1]?.publicKey.export({ format: 'jwk' });
      await start(
        { clientSecret: undefined, clientKey: { key: keys[0]?.privateKey, kid: 'k' } } as never,
        {
          client: {
            client_secret: undefined,
            token_endpoint_auth_method: 'private_key_jwt',
            token_endpoint_auth_signing_alg: 'RS256',
            jwks: { keys: [{ ...known, kid: 'k' }] },
          } as never,
        },
      );
      const arrival = await visit('/profile');
      expect([arrival.status, errorCode(arrival)]).toEqual(
        isKnown ? [200, undefined] : [502, 'ERR_OIDC_CLIENT_REFUSED'],
      );
    },
  );
});

describe('parameters', () => {
  it.each([
    [{ connection: 'google-oauth2' }, { connection: 'google-oauth2' }],
    [{ screenHint: 'signup' }, { screen_hint: 'signup' }],
    [{ uiLocales: 'de en' }, { ui_locales: 'de en' }],
    [
      {
        connection: 'google-oauth2',
        authorizationParams: { login_hint: 'ada', connection: undefined },
      },
      { login_hint: 'ada' },
    ],
    [{ uiLocales: 'de', authorizationParams: () => ({ ui_locales: 'fr' }) }, { ui_locales: 'fr' }],
  ] as [Partial<Auth0Options>, object][])('%j are sent', async (options, sent) => {
    await start(options);
    expect((await visit('/profile')).status).toBe(200);
    expect(flow.op.asked()).toMatchObject(sent);
  });

  it.each([
    ['connection', { connection: 'unknown' }, 'ERR_OIDC_OP_ERROR'],
    ['screen_hint', { screenHint: 'dance' }, 'ERR_OIDC_OP_ERROR'],
    ['audience', { audience: 'https://unknown.example' }, 'ERR_OIDC_ACCESS_DENIED'],
    ['organization', { organization: 'org_unknown' }, 'ERR_OIDC_OP_ERROR'],
  ])('refused by Auth0 (%s) end on a page that says so', async (_name, options, code) => {
    await start(options);
    const refused = await visit('/profile');
    expect([refused.status, errorCode(refused)]).toEqual([403, code]);
    expect((await api()).status).toBe(401);
  });
});

describe('refresh token rotation', () => {
  it('is for a login with offline_access only', async () => {
    await start({ scope: 'openid profile orders:read' });
    await visit('/profile');
    expect((await api()).status).toBe(200);
    flow.clock.advance(61);
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
    expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 0, refused: 0 });
  });

  it('survives an answer that got lost, within the leeway', async () => {
    await start();
    await visit('/profile');
    flow.clock.advance(61);
    flow.op.loseRefreshAnswer();
    expect((await api()).status).toBe(503);
    flow.clock.advance(11);
    expect((await api()).status).toBe(200);
    flow.clock.advance(31);
    expect((await api()).status).toBe(200);
    expect(flow.op.grants).toMatchObject({ refresh_token: 3, refused: 0 });
  });

  it('ends the login where the leeway has passed', async () => {
    await start();
    await visit('/profile');
    flow.clock.advance(61);
    flow.op.loseRefreshAnswer();
    expect((await api()).status).toBe(503);
    flow.op.settings.leeway = -1;
    flow.clock.advance(11);
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
  });
});

describe('a logout', () => {
  it.each([
    ['as discovered', {}, true, '/oidc/logout'],
    ['by /v2/logout where none is published', {}, false, '/v2/logout'],
    ['by /v2/logout as configured', { logout: 'v2' }, true, '/v2/logout'],
  ] as [string, Partial<Auth0Options>, boolean, string][])(
    'leads to Auth0 %s, and back',
    async (_how, options, publishesLogout, path) => {
      await start(options, { publishesLogout });
      await visit('/profile');
      expect(await logOut()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(flow.op.logouts).toEqual([{ path, parameters: expect.any(Object) }]);
      expect(flow.op.logouts[0]?.parameters).not.toHaveProperty('federated');
      expect((await api()).status).toBe(401);
    },
  );

  it.each(['oidc', 'v2'] as const)('by %s takes the identity provider along', async (logout) => {
    await start({ logout, federated: true });
    await visit('/profile');
    expect(await logOut()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(flow.op.logouts[0]?.parameters).toMatchObject({ federated: '' });
  });

  it('leads nowhere that Auth0 does not know', async () => {
    await start({ logout: 'v2', postLogoutPath: '/elsewhere' });
    await visit('/profile');
    const left = await logOut();
    expect([left.status, left.url.startsWith(`${flow.op.issuer}v2/logout`)]).toEqual([400, true]);
    expect((await api()).status).toBe(401);
  });
});
