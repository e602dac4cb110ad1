import { afterEach, describe, expect, it } from '@jest/globals';
import type { OnRefreshFailure, RefreshFailure } from 'passport-oidc-hybrid';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Signed in, with an access token that ends in `secondsLeft`. */
async function start(onRefreshFailure: OnRefreshFailure, secondsLeft: number): Promise<void> {
  flow = await startFlow({
    oidc: { onRefreshFailure },
    routes: (app, oidc) => {
      app.get('/local', oidc.requireAuth({ accessToken: false }), (_req, res) => res.json({}));
    },
  });
  await flow.signIn();
  flow.clock.advance(3600 - secondsLeft);
}

const api = (): ReturnType<Flow['browser']['fetch']> => flow.browser.fetch(`${flow.baseUrl}/api/x`);
const local = (): ReturnType<Flow['browser']['fetch']> =>
  flow.browser.fetch(`${flow.baseUrl}/local`);

describe('onRefreshFailure', () => {
  it('is told of a dead grant, and of an outage', async () => {
    const told: RefreshFailure[] = [];
    await start((failure) => {
      told.push(failure);
      return undefined;
    }, -1);
    flow.op.lie({ refresh: { status: 503 } });
    await api();
    flow.op.honest();
    flow.op.revokeAll();
    await api();
    const claims = expect.objectContaining({ sub: 'ada' });
    expect(told).toMatchObject([
      { isGrantDead: false, error: { code: 'ERR_OIDC_PROVIDER_UNAVAILABLE' }, claims },
      { isGrantDead: true, error: { code: 'ERR_OIDC_GRANT_REFUSED' }, claims },
    ]);
  });

  it('that gives nothing leaves the default: a dead grant ends the session, an outage does not', async () => {
    await start(() => undefined, -1);
    flow.op.lie({ refresh: { status: 503 } });
    expect(await api()).toMatchObject({ status: 503 });
    flow.op.honest();
    flow.op.revokeAll();
    expect(errorCode(await api())).toBe('ERR_OIDC_LOGIN_ENDED');
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('may keep the user signed in after a dead grant: the token serves until its end', async () => {
    await start(() => 'keep', 30);
    flow.op.revokeAll();
    for (let round = 0; round < 2; round += 1) {
      expect(await api()).toMatchObject({ status: 200 });
    }
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    flow.clock.advance(31);
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
    expect(await local()).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it('that gives a promise has not decided, and a dead grant ends the session', async () => {
    await start((async () => 'keep') as never, 30);
    flow.op.revokeAll();
    expect(errorCode(await api())).toBe('ERR_OIDC_LOGIN_ENDED');
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('may end a login in an outage', async () => {
    await start(() => 'end', 30);
    flow.op.lie({ refresh: { status: 503 } });
    expect(errorCode(await api())).toBe('ERR_OIDC_LOGIN_ENDED');
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('that throws is an error of the application, and changes nothing', async () => {
    let isBroken = true;
    await start(() => {
      if (isBroken) throw new Error('a defect of the application');
      return undefined;
    }, 30);
    flow.op.lie({ refresh: { status: 503 } });
    expect(json(await api())).toEqual({ unexpected: 'Error: a defect of the application' });
    isBroken = false;
    flow.op.honest();
    expect(await api()).toMatchObject({ status: 200 });
  });
});
