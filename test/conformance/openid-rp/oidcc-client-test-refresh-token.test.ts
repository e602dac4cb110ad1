import { afterEach, describe, expect, it } from '@jest/globals';
import type { IdTokenLie } from '../../../lib/testing/lies.ts';
import { type Flow, json } from '../../support/flow.ts';
import { callApi, startStale } from '../../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-refresh-token', () => {
  it('spends the refresh token, and goes on with the new tokens', async () => {
    flow = await startStale();
    const login = flow.op.lastRequest('/token');
    expect(json(await callApi(flow))).toMatchObject({
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
    flow = await startStale();
    flow.op.lie({ refreshedIdToken: lie });
    expect(await callApi(flow)).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it('takes an ID Token with the nonce of the login', async () => {
    flow = await startStale();
    const { nonce } = flow.op.lastRequest('/authorize').parameters;
    flow.op.lie({ refreshedIdToken: { claims: { nonce } } });
    expect(await callApi(flow)).toMatchObject({ status: 200 });
  });

  it('takes no ID Token: the claims stay', async () => {
    flow = await startStale();
    flow.op.lie({ refresh: { json: ({ id_token, ...body }) => body } });
    expect(await callApi(flow)).toMatchObject({ status: 200 });
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
    });
  });

  it('brings new claims, and keeps nonce and auth_time of the login', async () => {
    flow = await startStale();
    const before = json(await flow.browser.navigate(flow.baseUrl))['claims'] as object;
    flow.op.claims = { email: 'new@example.com' };
    flow.op.lie({ refreshedIdToken: { claims: { auth_time: undefined } } });
    await callApi(flow);
    const { nonce, auth_time } = before as Record<string, unknown>;
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { email: 'new@example.com', nonce, auth_time },
    });
  });
});
