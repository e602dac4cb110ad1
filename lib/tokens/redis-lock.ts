import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lock, Release } from '../lock.ts';

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

/** Prolongs the key if it is still ours. */
const prolongScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";

/** A lease is renewed that often within its time, so that a slow answer or two do no harm. */
const renewalsPerLease = 3;

/** Whoever holds a lock for so many leases has forgotten it; no refresh takes so long. */
const maxLeases = 60;

/** Time between two tries of somebody who waits; varied, so that waiters do not march in step. */
const retryMilliseconds = 30;

/**
 * A lock for all processes that share a Redis, by a client of node-redis or ioredis.
 *
 * One key with a lease, set if absent, renewed while its owner lives, deleted by its owner only. It
 * need not be safer than one Redis is: what it guards is written only at the version that was read.
 *
 * @see {@link https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/ Distributed locks with Redis}
 */
export function redisLock(
  client: NodeRedisClient | IoRedisClient,
  options: RedisLockOptions = {},
): Lock {
  const { prefix = 'oidc-lock:' } = options;
  const send = async (...args: [string, ...string[]]): Promise<unknown> =>
    'call' in client ? client.call(...args) : client.sendCommand(args);

  return {
    async acquire(name, leaseSeconds, waitSeconds) {
      const key = `${prefix}${name}`;
      const owner = randomBytes(16).toString('base64url');
      const lease = String(Math.ceil(leaseSeconds * 1000));
      const hold = (): Release => {
        const prolong = (): void => {
          // A failure shows in time: either the next renewal succeeds, or the lease runs out.
          send('EVAL', prolongScript, '1', key, owner, lease).catch(() => undefined);
        };
        const stop = repeat(prolong, leaseSeconds / renewalsPerLease, renewalsPerLease * maxLeases);
        return async () => {
          stop();
          await send('EVAL', releaseScript, '1', key, owner);
        };
      };
      const deadline = performance.now() + waitSeconds * 1000;
      for (;;) {
        if ((await send('SET', key, owner, 'NX', 'PX', lease)) === 'OK') return hold();
        if (performance.now() >= deadline) return undefined;
        await delay(retryMilliseconds * (0.5 + Math.random()), undefined, { ref: false });
      }
    },
  };
}

/** Calls a function every so many seconds, so many times, and keeps no process alive for it. */
function repeat(action: () => void, seconds: number, times: number): () => void {
  let left = times;
  const timer = setInterval(() => {
    action();
    left -= 1;
    if (left === 0) clearInterval(timer);
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}
