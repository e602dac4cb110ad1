import { describe, expect, it } from '@jest/globals';
import { inProcessLock } from '../../lib/tokens/lock.ts';

describe('lock in one process', () => {
  it('lets one in at a time, in order', async () => {
    const lock = inProcessLock();
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      const release = await lock.acquire('key', 10, 10);
      order.push(`${name} in`);
      await new Promise(setImmediate);
      order.push(`${name} out`);
      await release?.();
    };
    await Promise.all([work('a'), work('b'), work('c')]);
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  it('does not hold up other keys', async () => {
    const lock = inProcessLock();
    await lock.acquire('one', 10, 10);
    expect(await lock.acquire('two', 10, 0)).toBeDefined();
  });

  it('gives up after the wait, and those behind still get their turn', async () => {
    const lock = inProcessLock();
    const release = await lock.acquire('key', 10, 10);
    const impatient = lock.acquire('key', 10, 0);
    const patient = lock.acquire('key', 10, 10);
    expect(await impatient).toBeUndefined();
    await release?.();
    expect(await patient).toBeDefined();
  });

  it('is not let go by somebody who gave up waiting', async () => {
    const lock = inProcessLock();
    const release = await lock.acquire('key', 10, 10);
    expect(await lock.acquire('key', 10, 0)).toBeUndefined();
    expect(await lock.acquire('key', 10, 0)).toBeUndefined();
    await release?.();
    expect(await lock.acquire('key', 10, 10)).toBeDefined();
  });

  it('is not free for somebody new while the one who came second has it', async () => {
    const lock = inProcessLock();
    const release = await lock.acquire('key', 10, 10);
    const second = lock.acquire('key', 10, 10);
    await release?.();
    const releaseSecond = await second;
    await new Promise(setImmediate);
    expect(await lock.acquire('key', 10, 0)).toBeUndefined();
    await releaseSecond?.();
    expect(await lock.acquire('key', 10, 10)).toBeDefined();
  });
});
