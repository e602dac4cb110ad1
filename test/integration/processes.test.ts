import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, json } from '../support/flow.ts';
import { postLogoutToken } from '../support/logout-request.ts';
import { describeWithParts } from '../support/parts.ts';
import { type Redis, startRedis } from '../support/redis.ts';
import { buildWorkers, createOffsetClock, type Worker, type Workers } from '../support/workers.ts';

describeWithParts(['redis-server'], 'two processes that share Redis and a lock', () => {
  let op: LyingOp;
  let redis: Redis;
  let workers: Workers;
  let browser: Browser;

  beforeAll(async () => {
    const clock = createOffsetClock();
    op = await LyingOp.start(clock.now);
    redis = await startRedis();
    workers = await buildWorkers(op, redis.url, clock);
  }, 60_000);
  afterEach(() => {
    op.honest();
    op.requests = [];
  });
  afterAll(async () => {
    // Without what has not started, so that a failure there does not leave a Redis behind.
    await workers?.stop();
    await redis?.stop();
    await op.stop();
  });

  /** Two processes, one of which the visitor has signed in to; both find the access token expired. */
  async function startPair(
    options: Parameters<Workers['start']>[0] = { httpTimeoutSeconds: 1 },
  ): Promise<[Worker, Worker]> {
    const pair: [Worker, Worker] = [await workers.start(options), await workers.start(options)];
    browser = new Browser();
    expect(await browser.navigate(`${pair[0].baseUrl}/private`)).toMatchObject({ status: 200 });
    await workers.advance(4000);
    return pair;
  }

  const api = (worker: Worker): ReturnType<Browser['fetch']> =>
    browser.fetch(`${worker.baseUrl}/api/x`);
  const refreshes = (): number => op.count('/token', 'refresh_token');

  it.each([
    ['an OP that answers at once', {}],
    ['an OP that takes 5 seconds', { delaySeconds: 5 }],
  ])(
    '100 requests at each, at once, at %s: one refresh, everybody served, and again after the next expiry',
    async (_op, refresh) => {
      const pair = await startPair({});
      op.lie({ refresh });
      for (let round = 1; round <= 2; round += 1) {
        const requests = Array.from({ length: 100 }, () => pair.map(api)).flat();
        const answers = await Promise.all(requests);
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
        expect(new Set(answers.map((answer) => json(answer)['authorization'])).size).toBe(1);
        expect(refreshes()).toBe(round);
        await workers.advance(4000);
      }
    },
    60_000,
  );

  it('the second waits while the OP answers the first, and spends nothing', async () => {
    const [first, second] = await startPair();
    const held = op.hold('/token');
    const refreshing = api(first);
    await held.arrived;
    const waiting = api(second);
    held.release();
    expect([(await refreshing).status, (await waiting).status]).toEqual([200, 200]);
    expect(refreshes()).toBe(1);
  }, 60_000);

  it('one that is killed in the middle of a refresh holds nobody up for ever', async () => {
    const [first, second] = await startPair();
    const held = op.hold('/token');
    const lost = api(first).catch(() => undefined);
    await held.arrived;
    await first.kill();
    await lost;
    held.release();
    // After the lease the second has the lock. The refresh token was spent by the first, whose
    // answer nobody got: the login ends, cleanly.
    const answer = await api(second);
    expect([answer.status, errorCode(answer)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await browser.navigate(`${second.baseUrl}/private`)).toMatchObject({ status: 200 });
  }, 60_000);

  it('a logout at one, in the middle of a refresh at the other, is a logout at both', async () => {
    const [first, second] = await startPair();
    const held = op.hold('/token');
    const refreshing = api(first);
    await held.arrived;
    const { baseUrl } = second;
    // A slow OP keeps nobody from signing out.
    await browser.navigate({ method: 'GET', url: `${baseUrl}/logout`, from: baseUrl });
    held.release();
    expect(await refreshing).toMatchObject({ status: 401 });
    for (const worker of [first, second]) {
      expect(await api(worker)).toMatchObject({ status: 401 });
      expect(json(await browser.navigate(worker.baseUrl))).toEqual({ sub: null });
    }
  }, 60_000);

  it('a back-channel logout at one ends the session at the other, within one request', async () => {
    const options = { backchannelLogout: true };
    const [first, second] = [await workers.start(options), await workers.start(options)];
    browser = new Browser();
    expect(await browser.navigate(`${second.baseUrl}/private`)).toMatchObject({ status: 200 });
    expect(await api(second)).toMatchObject({ status: 200 });
    expect(await postLogoutToken({ op, baseUrl: first.baseUrl })).toMatchObject({ status: 200 });
    expect(await api(second)).toMatchObject({ status: 401 });
    expect(json(await browser.navigate(second.baseUrl))).toEqual({ sub: null });
  }, 60_000);

  it.each([
    ['while the OP answers the first', true],
    ['when the first has just finished', false],
  ])(
    'a login that is submitted to both, %s, is completed once',
    async (_when, isHeld) => {
      const first = await workers.start();
      const second = await workers.start({ baseUrl: first.baseUrl });
      browser = new Browser();
      const { next } = await browser.navigate(`${first.baseUrl}/private`, ({ url }) =>
        url.includes('oidc_response='),
      );
      if (next === undefined) throw new Error('no second hop');
      // The first navigation is canceled by the second, so its cookies never arrive: another jar.
      const canceled = await browser.copy(first.baseUrl);
      const held = isHeld ? op.hold('/token') : undefined;
      const one = canceled.navigate(next);
      await (held?.arrived ?? one);
      const toSecond = { ...next, url: next.url.replace(first.baseUrl, second.baseUrl) };
      const two = browser.navigate(toSecond);
      held?.release();
      expect([(await one).status, (await two).status]).toEqual([200, 200]);
      expect(json(await two)).toEqual({ sub: 'ada' });
      expect(op.count('/token')).toBe(1);
      for (const worker of [first, second])
        expect(await api(worker)).toMatchObject({ status: 200 });
      // An OP that has seen the code again would have revoked what it gave for it.
      await workers.advance(4000);
      expect(await api(second)).toMatchObject({ status: 200 });
    },
    60_000,
  );

  it('Redis that comes back empty costs the login, and nothing else', async () => {
    const [first, second] = await startPair();
    await redis.restart();
    expect(await api(first)).toMatchObject({ status: 401 });
    expect(await browser.navigate(`${first.baseUrl}/private`)).toMatchObject({ status: 200 });
    expect(await api(second)).toMatchObject({ status: 200 });
  }, 60_000);
});
