import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(async () => {
  jest.useRealTimers();
  await flow.close();
});

const local = (): ReturnType<Flow['browser']['fetch']> =>
  flow.browser.fetch(`${flow.baseUrl}/local`);

async function start(oidc: object): Promise<void> {
  flow = await startFlow({
    oidc,
    routes: (app, guards) => {
      app.get('/local', guards.requireAuth({ accessToken: false }), (_req, res) => res.json({}));
    },
  });
  await flow.signIn();
}

describe('absoluteLifetimeSeconds', () => {
  it('ends a login so long after the sign-in, however often it was used and refreshed', async () => {
    await start({ absoluteLifetimeSeconds: 9000 });
    for (let at = 0; at < 8997; at += 2999) {
      expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
      flow.clock.advance(2999);
    }
    expect(await local()).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    flow.clock.advance(3);
    const refused = await local();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('begins anew with the next sign-in', async () => {
    await start({ absoluteLifetimeSeconds: 60 });
    flow.clock.advance(60);
    expect(await local()).toMatchObject({ status: 401 });
    await flow.signIn();
    flow.clock.advance(59);
    expect(await local()).toMatchObject({ status: 200 });
  });
});

describe('refreshTokenLifetimeSeconds', () => {
  it('ends a login so long after its refresh token was issued, and each new one begins it anew', async () => {
    await start({ refreshTokenLifetimeSeconds: 5000 });
    for (let round = 0; round < 3; round += 1) {
      flow.clock.advance(4999);
      expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    }
    flow.clock.advance(5001);
    expect(await local()).toMatchObject({ status: 401 });
    expect(await flow.storeKeys()).toEqual([]);
    expect(flow.op.count('/token', 'refresh_token')).toBe(3);
  });

  it('goes on counting where the OP does not rotate', async () => {
    await start({ refreshTokenLifetimeSeconds: 5000 });
    flow.op.lie({ refresh: { json: ({ refresh_token, ...body }) => body } });
    flow.clock.advance(4999);
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    flow.clock.advance(2);
    expect(await local()).toMatchObject({ status: 401 });
  });
});

describe('endWithIdToken', () => {
  it('ends a login with its ID Token', async () => {
    await start({ endWithIdToken: true, clockToleranceSeconds: 0 });
    flow.clock.advance(299);
    expect(await local()).toMatchObject({ status: 200 });
    flow.clock.advance(1);
    expect(await local()).toMatchObject({ status: 401 });
    expect(await flow.storeKeys()).toEqual([]);
  });

  it('goes by the newest ID Token', async () => {
    flow = await startFlow({ oidc: { endWithIdToken: true } });
    flow.op.lie({ expiresIn: 200 });
    await flow.signIn();
    for (let round = 0; round < 5; round += 1) {
      flow.clock.advance(201);
      expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
    }
  });
});

describe('idleLifetimeSeconds', () => {
  /** The store ends what is idle, by the clock of the machine. */
  function moveStoreClock(seconds: number): void {
    flow.clock.advance(seconds);
    jest.setSystemTime(flow.clock.now());
  }

  it('ends a login that was not used for so long, and a minute', async () => {
    const real = [
      'nextTick',
      'setImmediate',
      'setTimeout',
      'setInterval',
      'queueMicrotask',
    ] as const;
    jest.useFakeTimers({ doNotFake: [...real, 'clearTimeout', 'clearInterval', 'performance'] });
    await start({ idleLifetimeSeconds: 600 });
    for (let round = 0; round < 5; round += 1) {
      moveStoreClock(599);
      expect(await local()).toMatchObject({ status: 200 });
    }
    moveStoreClock(661);
    expect(await local()).toMatchObject({ status: 401 });
  });
});
