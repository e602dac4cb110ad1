import { createHash } from 'node:crypto';

/**
 * Numbers from 0 up to 1, the same ones for the same seed. Each name has a row of its own, so that
 * what befalls one visitor does not depend on how the requests of others are scheduled.
 */
export function createRandom(seed: number): (name: string) => number {
  const drawn = new Map<string, number>();
  return (name) => {
    const count = drawn.get(name) ?? 0;
    drawn.set(name, count + 1);
    const digest = createHash('sha256').update(`${seed} ${count} ${name}`).digest();
    return digest.readUInt32BE() / 2 ** 32;
  };
}
