import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { listen } from './listen.ts';

/** The example application, started as the README says. */
export interface Example {
  readonly url: string;
  /** Its local OP. */
  readonly issuer: string;
  readonly output: readonly string[];
  stop(): Promise<void>;
}

async function freePort(): Promise<string> {
  const { port, close } = await listen();
  await close();
  return String(port);
}

/** Runs `npm start` on free ports, and waits for its last line. */
export async function startExample(): Promise<Example> {
  const [PORT, OP_PORT, API_PORT] = [await freePort(), await freePort(), await freePort()];
  const example = spawn('npm', ['start'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, PORT, OP_PORT, API_PORT, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  const ended = once(example, 'close');
  const output: string[] = [];
  example.stderr.on('data', (chunk) => output.push(String(chunk)));
  for await (const line of createInterface({ input: example.stdout })) {
    output.push(line);
    const url = /^READY (.*)$/.exec(line)?.[1];
    if (url === undefined) continue;
    example.stdout.resume();
    return {
      url,
      issuer: `http://127.0.0.1:${OP_PORT}`,
      output,
      async stop() {
        process.kill(-(example.pid ?? 0), 'SIGTERM');
        await ended;
      },
    };
  }
  throw new Error(`the example did not start:\n${output.join('\n')}`);
}
