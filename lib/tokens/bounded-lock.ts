import { LockError } from '../errors.ts';
import type { Lock, Release } from '../lock.ts';
import { settlesWithin } from './deadline.ts';

/** A lock that has not answered so long after the wait is over does not answer at all. */
const graceSeconds = 2;

/**
 * A lock that holds nobody up: clients of Redis queue commands while they are not connected, and
 * neither fail nor answer.
 *
 * `acquire` throws {@link LockError}; what it gives never fails, and need not be waited for.
 */
export function boundedLock(lock: Lock): Lock {
  return {
    async acquire(key, leaseSeconds, waitSeconds) {
      const pending = start(() => lock.acquire(key, leaseSeconds, waitSeconds));
      if (!(await settlesWithin(pending, waitSeconds + graceSeconds))) {
        pending.then(giveBack, () => undefined);
        throw new LockError(new Error('the lock does not answer'));
      }
      const release = await pending.catch((error: unknown) => {
        throw new LockError(error);
      });
      return release && (() => void giveBack(release));
    },
  };
}

/** What a function throws at once fails like what its promise brings. */
async function start<T>(action: () => Promise<T>): Promise<T> {
  return action();
}

/** A lock that cannot be given back ends with its lease; what was done under it is done. */
async function giveBack(release: Release | undefined): Promise<void> {
  try {
    await release?.();
  } catch {
    // Nothing is left to do.
  }
}
