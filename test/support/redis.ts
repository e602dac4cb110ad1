import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from './child-process.ts';
import { becomeReady, startOnFreePort } from './own-server.ts';
import { requirePart } from './parts.ts';

/** A Redis of our own, which keeps nothing on disk. */
export interface Redis {
  readonly url: string;
  /** Goes down; what it held is gone. */
  stop(): Promise<void>;
  /** Goes down if it is up, and comes up again, empty, at the same address. */
  restart(): Promise<void>;
}

/** @throws Error when `redis-server` is missing or does not start, with what it said */
export function startRedis(): Promise<Redis> {
  return startOnFreePort(async (port) => {
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
  });
}

interface RunningServer {
  stop(): Promise<void>;
}

async function runServer(port: number): Promise<RunningServer> {
  const program = requirePart('redis-server');
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const server = startProgram(program, [...settings, '--save', '', '--appendonly', 'no']);
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
    await becomeReady(server, server.stdout, 'Ready to accept connections');
    await ping(port);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
