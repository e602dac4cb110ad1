import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { redisLock } from 'passport-oidc-hybrid';
import { createClient } from 'redis';
import { describeWithParts } from '../support/parts.ts';
import { type Redis, startRedis } from '../support/redis.ts';

describeWithParts(['redis-server'], 'lock in Redis', () => {
  let redis: Redis;
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    redis = await startRedis();
    client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    await client.connect();
  });
  afterAll(async () => {
    client.destroy();
    await redis.stop();
  });

  it('lets one in at a time, and the next when it is given back', async () => {
    const [one, two] = [redisLock(client), redisLock(client)];
    const release = await one.acquire('a', 10, 0);
    expect(release).toBeDefined();
    expect(await two.acquire('a', 10, 0)).toBeUndefined();
    expect(await two.acquire('b', 10, 0)).toBeDefined();
    const waiting = two.acquire('a', 10, 10);
    await release?.();
    expect(await waiting).toBeDefined();
  });

  it('ends with its lease, and its late owner takes it from nobody', async () => {
    const lock = redisLock(client);
    const late = await lock.acquire('c', 0.001, 0);
    const release = await lock.acquire('c', 10, 10);
    expect(release).toBeDefined();
    await late?.();
    expect(await lock.acquire('c', 10, 0)).toBeUndefined();
    await release?.();
    expect(await lock.acquire('c', 10, 0)).toBeDefined();
  });

  it('takes a client of ioredis as well, by its command', async () => {
    const sent: string[][] = [];
    const lock = redisLock({
      call: async (...command) => {
        sent.push(command);
        return 'OK';
      },
    });
    await (await lock.acquire('d', 2, 0))?.();
    expect(sent.map(([name]) => name)).toEqual(['SET', 'EVAL']);
    expect(sent[0]).toEqual(['SET', 'oidc-lock:d', expect.any(String), 'NX', 'PX', '2000']);
    expect(sent[1]?.slice(3)).toEqual(['oidc-lock:d', sent[0]?.[2]]);
  });
});
