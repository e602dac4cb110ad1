import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lock } from '../lock.ts';

/** A client of node-redis (package `redis`). */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A client of ioredis. */
export interface IoRedisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** Options of {@link redisLock}. */
export interface RedisLockOptions {
  /** In front of the lock's keys. @default 'oidc-lock:' */
  prefix?: string | undefined;
}

/** Deletes the key if it is still ours: after the lease it may be somebody else's. */
const releaseScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

/** Time between two tries of somebody who waits; varied, so that waiters do not march in step. */
const retryMilliseconds = 30;

/**
 * A lock for all processes that share a Redis, by a client of node-redis or ioredis.
 *
 * One key with a lease, set if absent, deleted by its owner only. It need not be safer than one
 * Redis is: what it guards is written only at the version that was read.
 *
 * @see {@link https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/ Distributed locks with Redis}
 */
export function redisLock(
  client: NodeRedisClient | IoRedisClient,
  options: RedisLockOptions = {},
): Lock {
  const { prefix = 'oidc-lock:' } = options;
  const send = (...args: [string, ...string[]]): Promise<unknown> =>
    'call' in client ? client.call(...args) : client.sendCommand(args);

  return {
    async acquire(name, leaseSeconds, waitSeconds) {
      const key = `${prefix}${name}`;
      const owner = randomBytes(16).toString('base64url');
      const lease = String(Math.ceil(leaseSeconds * 1000));
      const release = async (): Promise<void> => {
        await send('EVAL', releaseScript, '1', key, owner);
      };
      const deadline = performance.now() + waitSeconds * 1000;
      for (;;) {
        if ((await send('SET', key, owner, 'NX', 'PX', lease)) === 'OK') return release;
        if (performance.now() >= deadline) return undefined;
        await delay(retryMilliseconds * (0.5 + Math.random()));
      }
    },
  };
}
