import type { Lock } from '../lock.ts';
import { settlesWithin } from './deadline.ts';

/** Locks that say: one process is all there is. */
const inProcess = new WeakSet<Lock>();

/** Whether a lock holds for one process only. */
export function isInProcess(lock: Lock): boolean {
  return inProcess.has(lock);
}

/** A lock for one process: waiters are served in order. The lease is not needed, as holders cannot die alone. */
export function inProcessLock(): Lock {
  const tails = new Map<string, Promise<void>>();

  const lock: Lock = {
    async acquire(key, _leaseSeconds, waitSeconds) {
      const before = tails.get(key);
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const tail = (before ?? Promise.resolve()).then(() => held);
      tails.set(key, tail);
      // Only when everybody before is done, or somebody new would find the lock free too early.
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
      if (before === undefined || (await settlesWithin(before, waitSeconds))) return release;
      release();
      return undefined;
    },
  };
  inProcess.add(lock);
  return lock;
}
