import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import {
  type CertifiedFlow,
  type CertifiedFlowSetup,
  startCertifiedFlow,
} from '../support/certified-flow.ts';
import { describeWithParts } from '../support/parts.ts';
import { type StartedRedisStore, startRedisStore } from '../support/redis-store.ts';

let flow: CertifiedFlow;

/** 200 requests at once, after each of three expiries, at an OP that revokes on reuse. */
async function stampede(setup: CertifiedFlowSetup): Promise<Browser> {
  flow = await startCertifiedFlow(setup);
  const browser = new Browser();
  await browser.navigate(`${flow.baseUrl}/profile`);
  for (let round = 1; round <= 3; round += 1) {
    flow.clock.advance(61);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => browser.fetch(`${flow.baseUrl}/api/orders`)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
    expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: round, refused: 0 });
  }
  return browser;
}

describe('one spend for each refresh token', () => {
  afterEach(() => flow.close());

  it('in memory', async () => {
    await stampede({});
  }, 60_000);
});

describeWithParts(['redis-server'], 'sessions in Redis', () => {
  let redis: StartedRedisStore;
  beforeEach(async () => {
    redis = await startRedisStore();
  });
  afterEach(async () => {
    await flow.close();
    await redis.close();
  });

  it('refresh once, too', async () => {
    await stampede({ store: redis.store });
  }, 60_000);

  it('keep tokens sealed, for as long as the session, and drop them with it', async () => {
    const browser = await stampede({ store: redis.store });
    const { client } = redis;
    const keys = await client.keys('*');
    expect(keys).toHaveLength(2);
    const sessionKey = keys.find((key) => /^sess:[^:]+$/.test(key)) ?? '';
    const recordKey = keys.find((key) => key === sessionKey.replace('sess:', 'sess:oidc:')) ?? '';
    const [sessionTtl, recordTtl] = [await client.ttl(sessionKey), await client.ttl(recordKey)];
    expect(sessionTtl).toBeGreaterThan(86_000);
    expect(Math.abs(sessionTtl - recordTtl)).toBeLessThanOrEqual(60);
    for (const key of keys) expect(await client.get(key)).not.toMatch(/eyJ|refresh|access_token/);

    await browser.navigate({ method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl });
    expect(await client.keys('*')).toEqual([]);
  }, 60_000);
});
