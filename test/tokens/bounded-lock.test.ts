import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { boundedLock } from '../../lib/tokens/bounded-lock.ts';
import { createGate } from '../support/gate.ts';

afterEach(() => {
  jest.useRealTimers();
});

const lockError = { code: 'ERR_OIDC_LOCK', status: 503 };

describe('a lock that is bounded', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('fails as a lock where it %s', async (_how, acquire) => {
    await expect(boundedLock({ acquire }).acquire('a', 10, 0)).rejects.toMatchObject(lockError);
  });

  it('fails where it does not answer, and gives back what it is given too late', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const gate = createGate();
    let released = 0;
    const lock = boundedLock({
      async acquire() {
        await gate.wait();
        return () => {
          released += 1;
        };
      },
    });
    const acquiring = lock.acquire('a', 10, 20).catch((error: unknown) => error);
    jest.advanceTimersByTime(22_000);
    expect(await acquiring).toMatchObject(lockError);
    gate.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(released).toBe(1);
  });

  it('waits for no release, and fails by none', async () => {
    const never = new Promise<void>(() => undefined);
    const releases = [() => never, () => Promise.reject(new Error('down'))];
    for (const release of releases) {
      const lock = boundedLock({ acquire: async () => release });
      expect((await lock.acquire('a', 10, 0))?.()).toBeUndefined();
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('is not had where the lock says so', async () => {
    const lock = boundedLock({ acquire: async () => undefined });
    expect(await lock.acquire('a', 10, 0)).toBeUndefined();
  });
});
