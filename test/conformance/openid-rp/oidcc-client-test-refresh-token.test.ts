import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';
import type { IdTokenLie } from '../../support/lies.ts';

let flow: Flow;
afterEach(() => flow.close());

const api = (): ReturnType<Flow['browser']['fetch']> => flow.browser.fetch(`${flow.baseUrl}/api/x`);

/** Signed in, with an access token that is about to expire. */
async function startStale(): Promise<void> {
  flow = await startFlow({
    oidc: { maxAge: 60 },
    routes: (app, oidc) => {
      app.get('/cause', oidc.requireAuth({ accessToken: false }), async (req, res) => {
        await req.oidc?.accessToken().catch((error) => res.json({ code: error.cause.code }));
      });
    },
  });
  await flow.signIn();
  flow.clock.advance(3545);
}

/** A refresh that succeeds, and another one whose ID Token is wrong in one thing. */
async function expectEnd(lie: IdTokenLie, code: string): Promise<void> {
  await startStale();
  expect(await api()).toMatchObject({ status: 200 });
  expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  flow.clock.advance(3545);
  flow.op.lie({ refreshedIdToken: lie });
  expect(json(await flow.browser.fetch(`${flow.baseUrl}/cause`))).toEqual({
    code: `ERR_OIDC_${code}`,
  });
  const refused = await api();
  expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
  expect((await flow.storeKeys()).filter((key) => key.startsWith('oidc:'))).toEqual([]);
}

describe('oidcc-client-test-refresh-token', () => {
  it('spends the refresh token, and goes on with the new tokens', async () => {
    await startStale();
    const login = flow.op.lastRequest('/token');
    expect(json(await api())).toMatchObject({
      authorization: `Bearer ${flow.op.accessTokens.back[1]}`,
    });
    const { parameters, headers } = flow.op.lastRequest('/token');
    expect(Object.keys(parameters).sort()).toEqual(['grant_type', 'refresh_token']);
    expect(headers.authorization).toBe(login.headers.authorization);
  });

  it.each([
    ['an ID Token without nonce', {}],
    ['an ID Token without auth_time', { claims: { auth_time: undefined } }],
    ['an ID Token without at_hash', { claims: { at_hash: undefined } }],
    ['an ID Token with aud in a list', { claims: { aud: ['client'] } }],
  ] as [string, IdTokenLie][])('takes %s', async (_what, lie) => {
    await startStale();
    flow.op.lie({ refreshedIdToken: lie });
    expect(await api()).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it('takes an ID Token with the nonce of the login', async () => {
    await startStale();
    const { nonce } = flow.op.lastRequest('/authorize').parameters;
    flow.op.lie({ refreshedIdToken: { claims: { nonce } } });
    expect(await api()).toMatchObject({ status: 200 });
  });

  it('takes no ID Token: the claims stay', async () => {
    await startStale();
    flow.op.lie({ refresh: { json: ({ id_token, ...body }) => body } });
    expect(await api()).toMatchObject({ status: 200 });
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
    });
  });

  it('brings new claims, and keeps nonce and auth_time of the login', async () => {
    await startStale();
    const before = json(await flow.browser.navigate(flow.baseUrl))['claims'] as object;
    flow.op.claims = { email: 'new@example.com' };
    flow.op.lie({ refreshedIdToken: { claims: { auth_time: undefined } } });
    await api();
    const { nonce, auth_time } = before as Record<string, unknown>;
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { email: 'new@example.com', nonce, auth_time },
    });
  });
});

describe('oidcc-client-test-refresh-token-invalid-issuer', () => {
  it('ends the login (Core 12.2)', async () => {
    await expectEnd({ claims: { iss: 'https://evil.example' } }, 'ID_TOKEN_ISS');
  });
});

describe('oidcc-client-test-refresh-token-invalid-sub', () => {
  it('ends the login (Core 12.2)', async () => {
    await expectEnd({ claims: { sub: 'eve' } }, 'ID_TOKENS_SUB');
  });

  it('gives the API call that found it a 401', async () => {
    await startStale();
    flow.op.lie({ refreshedIdToken: { claims: { sub: 'eve' } } });
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.storeKeys()).toEqual([]);
  });
});

describe('oidcc-client-test-refresh-token-invalid-aud', () => {
  it.each([
    ['another aud', { claims: { aud: 'other' } }, 'ID_TOKEN_AUD'],
    ['further aud', { claims: { aud: ['client', 'b'], azp: 'client' } }, 'ID_TOKENS_AUD'],
  ])('%s ends the login (Core 12.2)', async (_what, lie, code) => {
    await expectEnd(lie, code);
  });
});

describe('oidcc-client-test-refresh-token-invalid-azp', () => {
  it('an azp that was not there before ends the login (Core 12.2)', async () => {
    await expectEnd({ claims: { azp: 'client' } }, 'ID_TOKENS_AUD');
  });
});

describe('Core 12.2 the refreshed ID Token', () => {
  it.each([
    ['another nonce', { claims: { nonce: 'other' } }, 'ID_TOKEN_NONCE'],
    ['another organization', { claims: { org_id: 'org_b' } }, 'ORGANIZATION'],
    ['another auth_time', { claims: { auth_time: 1 } }, 'ID_TOKENS_AUTH_TIME'],
    ['another at_hash', { claims: { at_hash: 'wrong' } }, 'AT_HASH_MISMATCH'],
    ['a foreign signature', { signedWith: 'foreign_key' }, 'ID_TOKEN_SIGNATURE'],
    ['an exp that has passed', { claims: { exp: 1 } }, 'ID_TOKEN_EXP'],
    ['alg none', { signedWith: 'none' }, 'ID_TOKEN_ALG'],
    ['HS256 with the client secret', { signedWith: 'client_secret' }, 'ID_TOKEN_ALG'],
  ] as [string, IdTokenLie, string][])('with %s ends the login', async (_what, lie, code) => {
    await expectEnd(lie, code);
  });
});
