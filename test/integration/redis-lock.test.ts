import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Redis as IoRedis } from 'ioredis';
import { type Lock, redisLock } from 'passport-oidc-hybrid';
import { createClient } from 'redis';
import { describeWithParts } from '../support/parts.ts';
import { type Redis, startRedis } from '../support/redis.ts';

/** A process that uses the lock, by a connection of its own. */
interface Process {
  readonly lock: Lock;
  /** Ends the connection: Redis hears no more of it. */
  die(): void;
}

type Connect = (url: string) => Promise<Process>;

const nodeRedis: Connect = async (url) => {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  const die = (): void => {
    if (client.isOpen) client.destroy();
  };
  return { lock: redisLock(client), die };
};

const ioRedis: Connect = async (url) => {
  const client = new IoRedis(url);
  client.on('error', () => undefined);
  let isAlive = true;
  const die = (): void => {
    // A second time would start a timer that nothing stops.
    if (isAlive) client.disconnect();
    isAlive = false;
  };
  return { lock: redisLock(client), die };
};

/** By which clients the first and the second process are connected. */
const pairs: [name: string, first: Connect, second: Connect][] = [
  ['node-redis', nodeRedis, nodeRedis],
  ['ioredis', ioRedis, ioRedis],
  ['node-redis and ioredis', nodeRedis, ioRedis],
  ['ioredis and node-redis', ioRedis, nodeRedis],
];

describeWithParts(['redis-server'], 'lock in Redis', () => {
  let redis: Redis;
  let admin: ReturnType<typeof createClient>;
  const processes: Process[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    admin = createClient({ url: redis.url });
    admin.on('error', () => undefined);
    await admin.connect();
  });
  beforeEach(async () => {
    await admin.flushAll();
  });
  afterEach(() => {
    jest.useRealTimers();
    for (const { die } of processes.splice(0)) die();
  });
  afterAll(async () => {
    admin.destroy();
    await redis.stop();
  });

  const start = async (connect: Connect): Promise<Process> => {
    const process = await connect(redis.url);
    processes.push(process);
    return process;
  };

  describe.each(pairs)('by %s', (_name, connectFirst, connectSecond) => {
    let first: Process;
    let second: Process;
    beforeEach(async () => {
      first = await start(connectFirst);
      second = await start(connectSecond);
    });

    it('lets in one at a time of many who come at once', async () => {
      let inside = 0;
      const most: number[] = [];
      const work = async ({ lock }: Process): Promise<void> => {
        const release = await lock.acquire('a', 30, 30);
        inside += 1;
        most.push(inside);
        // Neither in one step nor safe without the lock.
        const count = Number(await admin.get('count'));
        await admin.set('count', count + 1);
        inside -= 1;
        await release?.();
      };
      await Promise.all(Array.from({ length: 10 }, () => [work(first), work(second)]).flat());
      expect(most).toEqual(Array.from({ length: 20 }, () => 1));
      expect(await admin.get('count')).toBe('20');
      expect(await admin.keys('*')).toEqual(['count']);
    }, 30_000);

    it('has somebody wait until it is given back, and turns away who does not wait', async () => {
      const release = await first.lock.acquire('a', 30, 0);
      expect(release).toBeDefined();
      const order: string[] = [];
      const waiting = second.lock.acquire('a', 30, 30).then((found) => {
        order.push('let in');
        return found;
      });
      expect(await second.lock.acquire('a', 30, 0)).toBeUndefined();
      expect(await second.lock.acquire('a', 30, 0.1)).toBeUndefined();
      order.push('given back');
      await release?.();
      expect(await waiting).toBeDefined();
      expect(order).toEqual(['given back', 'let in']);
      expect(await first.lock.acquire('a', 30, 0)).toBeUndefined();
    });

    it('is one for each name', async () => {
      expect(await first.lock.acquire('a', 30, 0)).toBeDefined();
      expect(await second.lock.acquire('b', 30, 0)).toBeDefined();
    });

    it('that was lost is taken from nobody by its late owner', async () => {
      const late = await first.lock.acquire('a', 30, 0);
      await admin.flushAll();
      const release = await second.lock.acquire('a', 30, 0);
      expect(release).toBeDefined();
      await late?.();
      expect(await first.lock.acquire('a', 30, 0)).toBeUndefined();
      await release?.();
      expect(await first.lock.acquire('a', 30, 0)).toBeDefined();
    });

    it('is free after the lease of a process that died', async () => {
      expect(await first.lock.acquire('a', 1, 0)).toBeDefined();
      first.die();
      expect(await second.lock.acquire('a', 30, 30)).toBeDefined();
    }, 40_000);

    it('is not given back by a process that has lost its connection, and says so', async () => {
      const release = await first.lock.acquire('a', 30, 0);
      first.die();
      await expect(Promise.resolve(release?.())).rejects.toThrow(/clos/i);
      expect(await second.lock.acquire('a', 30, 0)).toBeUndefined();
    });
  });

  describe.each([
    ['node-redis', nodeRedis],
    ['ioredis', ioRedis],
  ])('by %s: the lease', (_name, connect) => {
    const key = 'oidc-lock:a';

    /** Lets a third of the lease pass for the lock, and waits until Redis has heard of it. */
    const passThird = async ({ lock }: Process): Promise<void> => {
      jest.advanceTimersByTime(10_000);
      // By the same connection, so it is answered after what the timer has sent.
      expect(await lock.acquire('a', 30, 0)).toBeUndefined();
    };

    it('is renewed while its holder lives', async () => {
      const process = await start(connect);
      fakeIntervals();
      const release = await process.lock.acquire('a', 30, 0);
      expect(await admin.pTTL(key)).toBeGreaterThan(20_000);
      await admin.pExpire(key, 20_000);
      await passThird(process);
      expect(await admin.pTTL(key)).toBeGreaterThan(20_000);
      await release?.();
      expect(await admin.keys('*')).toEqual([]);
    });

    it('of somebody else is left alone', async () => {
      const process = await start(connect);
      fakeIntervals();
      await process.lock.acquire('a', 30, 0);
      await admin.set(key, 'somebody else', { expiration: { type: 'PX', value: 20_000 } });
      await passThird(process);
      expect(await admin.pTTL(key)).toBeLessThanOrEqual(20_000);
      expect(await admin.get(key)).toBe('somebody else');
    });
  });
});

/** Only the timer of renewals is faked: clients and Redis go by real time. */
function fakeIntervals(): void {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
}
