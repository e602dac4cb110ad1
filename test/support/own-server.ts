import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ChildProcess } from './child-process.ts';
import { listen } from './listen.ts';

/** Ports tried, in case somebody else takes the free one first. */
const attempts = 5;

/** Starts a program that has to be told its port: on a free one of loopback. */
export async function startOnFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const { port, close } = await listen();
    await close();
    try {
      return await start(port);
    } catch (error) {
      if (attempt === attempts || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

/**
 * Waits until a program that was spawned this moment says in its log that it is ready.
 *
 * @throws Error with what it said instead
 */
export async function becomeReady(
  program: ChildProcess,
  log: Readable | null,
  words: string,
): Promise<void> {
  if (log === null) throw new Error(`${program.spawnfile} has no log`);
  const said: string[] = [];
  const spawned = once(program, 'spawn');
  const lines = createInterface({ input: log });
  await spawned;
  for await (const line of lines) {
    said.push(line);
    if (line.includes(words)) {
      // The rest is read and dropped, so that a full pipe does not stop the program.
      log.resume();
      return;
    }
  }
  throw new Error(`${program.spawnfile} did not start:\n${said.join('\n')}`);
}
