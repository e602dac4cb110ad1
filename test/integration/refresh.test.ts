import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { Browser } from '../support/browser.ts';
import {
  type CertifiedFlow,
  type CertifiedFlowSetup,
  startCertifiedFlow,
} from '../support/certified-flow.ts';
import { describeWithParts } from '../support/parts.ts';
import { type Redis, startRedis } from '../support/redis.ts';

let flow: CertifiedFlow;

/** 50 requests at once, after each of three expiries, at an OP that revokes on reuse. */
async function stampede(setup: CertifiedFlowSetup): Promise<Browser> {
  flow = await startCertifiedFlow(setup);
  const browser = new Browser();
  await browser.navigate(`${flow.baseUrl}/profile`);
  for (let round = 1; round <= 3; round += 1) {
    flow.clock.advance(61);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => browser.fetch(`${flow.baseUrl}/api/orders`)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: round, refused: 0 });
  }
  return browser;
}

describe('one spend for each refresh token', () => {
  afterEach(() => flow.close());

  it('in memory', async () => {
    await stampede({});
  });
});

describeWithParts(['redis-server'], 'sessions in Redis', () => {
  let redis: Redis;
  let client: ReturnType<typeof createClient>;

  async function startStore(): Promise<RedisStore> {
    redis = await startRedis();
    client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    await client.connect();
    return new RedisStore({ client });
  }
  afterEach(async () => {
    client.destroy();
    await flow.close();
    await redis.stop();
  });

  it('refresh once, too', async () => {
    await stampede({ store: await startStore() });
  });

  it('keep tokens sealed, for as long as the session, and drop them with it', async () => {
    const browser = await stampede({ store: await startStore() });
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
  });
});
