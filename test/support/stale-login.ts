import { expect } from '@jest/globals';
import type { IdTokenLie } from '../../lib/testing/lies.ts';
import type { Visit } from './browser.ts';
import { errorCode, type Flow, json, startFlow } from './flow.ts';

/** Seconds after which the access token of a login or refresh is about to expire. */
const nearlyExpired = 3545;

/** Signed in, with an access token that is about to expire. */
export async function startStale(): Promise<Flow> {
  const flow = await startFlow({
    oidc: { maxAge: 60 },
    routes: (app, oidc) => {
      app.get('/cause', oidc.requireAuth({ accessToken: false }), async (req, res) => {
        await req.oidc?.accessToken().catch((error) => res.json({ code: error.cause.code }));
      });
    },
  });
  await flow.signIn();
  flow.clock.advance(nearlyExpired);
  return flow;
}

/** A request that needs a fresh access token. */
export function callApi(flow: Flow): Promise<Visit> {
  return flow.browser.fetch(`${flow.baseUrl}/api/x`);
}

/**
 * A refresh that succeeds, and another one whose ID Token is wrong in one thing: it ends the login,
 * by this cause, and leaves no token.
 */
export async function expectEnd(flow: Flow, lie: IdTokenLie, code: string): Promise<void> {
  expect(await callApi(flow)).toMatchObject({ status: 200 });
  expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  flow.clock.advance(nearlyExpired);
  flow.op.lie({ refreshedIdToken: lie });
  expect(json(await flow.browser.fetch(`${flow.baseUrl}/cause`))).toEqual({
    code: `ERR_OIDC_${code}`,
  });
  const refused = await callApi(flow);
  expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
  expect((await flow.storeKeys()).filter((key) => key.startsWith('oidc:'))).toEqual([]);
}
