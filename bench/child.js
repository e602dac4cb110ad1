import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A program of this folder in a process of its own, which answers questions.
 *
 * @typedef {object} Child
 * @property {object} ready what it said when it was ready
 * @property {number} pid
 * @property {(method: string, value?: unknown) => Promise<any>} ask
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} program name of the file
 * @param {object} [setting]
 * @param {string[]} [execArgv]
 * @returns {Promise<Child>}
 */
export async function startChild(program, setting = {}, execArgv = []) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BENCH_SETTING: JSON.stringify(setting),
      ...setting.env,
    },
    execArgv,
    // Peers report each refusal at length; BENCH_DEBUG shows it.
    stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore', 'ipc'],
  });
  /** @type {Map<number, (value: unknown) => void>} */
  const waiting = new Map();
  let lastId = 0;
  const ready = await new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.ready) resolve(message.ready);
      else waiting.get(message.id)?.(message.value);
      waiting.delete(message.id);
    });
    child.once('exit', (code) =>
      reject(new Error(`${program} ${setting.app ?? ''} ended: ${code}`)),
    );
  });
  return {
    ready,
    pid: child.pid,
    ask: (method, value) =>
      new Promise((resolve) => {
        lastId += 1;
        waiting.set(lastId, resolve);
        child.send({ id: lastId, method, value });
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** A Redis of our own, which keeps nothing on disk. */
export async function startRedis() {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'bench-redis-'));
  const server = spawn(
    'redis-server',
    [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.stdout.on('data', (text) => {
      if (String(text).includes('Ready to accept connections')) resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      kill();
      await once(server, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
