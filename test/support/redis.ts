import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { listen } from './listen.ts';
import { requirePart } from './parts.ts';

/** A Redis of our own, which keeps nothing on disk. */
export interface Redis {
  readonly url: string;
  /** Goes down; what it held is gone. */
  stop(): Promise<void>;
  /** Goes down if it is up, and comes up again, empty, at the same address. */
  restart(): Promise<void>;
}

/** Ports tried, in case somebody else takes the free one first. */
const attempts = 5;

/** @throws Error when `redis-server` is missing or does not start, with what it said */
export async function startRedis(): Promise<Redis> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    try {
      let running: RunningServer | undefined = await runServer(port);
      const stop = async (): Promise<void> => {
        await running?.stop();
        running = undefined;
      };
      return {
        url: `redis://127.0.0.1:${port}`,
        stop,
        async restart() {
          await stop();
          running = await runServer(port);
        },
      };
    } catch (error) {
      if (attempt === attempts || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

interface RunningServer {
  stop(): Promise<void>;
}

async function runServer(port: number): Promise<RunningServer> {
  const program = requirePart('redis-server');
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const server = spawn(program, [...settings, '--save', '', '--appendonly', 'no'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kill = (): void => {
    server.kill('SIGKILL');
  };
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    // Nothing of it is worth a tidy shutdown, and this one has no grace period.
    if (server.kill('SIGKILL')) await once(server, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await becomeReady(server);
    await ping(port);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the server says in its log that it listens. */
async function becomeReady(server: ChildProcess): Promise<void> {
  if (server.stdout === null) throw new Error('redis-server has no output');
  const said: string[] = [];
  const spawned = once(server, 'spawn');
  const lines = createInterface({ input: server.stdout });
  await spawned;
  for await (const line of lines) {
    said.push(line);
    if (line.includes('Ready to accept connections')) {
      // The rest is read and dropped, so that a full pipe does not stop the server.
      server.stdout.resume();
      return;
    }
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`);
}

async function ping(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    if (!String(answer).startsWith('+PONG')) throw new Error(`redis-server answered ${answer}`);
  } finally {
    socket.destroy();
  }
}

async function findFreePort(): Promise<number> {
  const listening = await listen();
  await listening.close();
  return listening.port;
}
