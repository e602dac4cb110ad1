import { setImmediate as turn } from 'node:timers/promises';

/** Long enough for a machine that is busy. */
const limitSeconds = 10;

/**
 * Waits for something that goes on in the background, and that nobody tells the end of.
 *
 * @throws Error when it does not come about
 */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + limitSeconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`not within ${limitSeconds} seconds: ${holds}`);
    await turn();
  }
}
