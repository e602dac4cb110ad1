import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram, startProgram } from './child-process.ts';
import { becomeReady, startOnFreePort } from './own-server.ts';
import { requirePart } from './parts.ts';

/** A PostgreSQL of our own, which is as fast as it can be and keeps nothing. */
export interface Postgres {
  /** With user and password. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Nothing here outlives the tests, so nothing has to reach the disk. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  max_connections: '20',
};

/** @throws Error when `postgres` is missing or does not start, with what it said */
export async function startPostgres(): Promise<Postgres> {
  const program = requirePart('postgres');
  const owner = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(folder, 'password');
  const data = join(folder, 'data');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  // In English, as its log is read.
  const env = { ...process.env, LC_ALL: 'C' };
  const how = { cwd: folder, env, secrets: [password], ...owner };
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (owner !== undefined) {
      await chown(folder, owner.uid, owner.gid);
      await chown(passwordFile, owner.uid, owner.gid);
    }
    // They belong together, and `postgres` may be a link to where both are.
    const initdb = join(dirname(await realpath(program)), 'initdb');
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const kind = ['--encoding=UTF8', '--locale=C', '--no-sync'];
    await runProgram(initdb, [`--pgdata=${data}`, ...access, ...kind], how);
    return await startOnFreePort(async (port) => {
      const stop = await runServer(program, data, port, how);
      return {
        url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
        async stop() {
          await stop();
          await remove();
        },
      };
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

interface How {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

async function runServer(
  program: string,
  data: string,
  port: number,
  how: How,
): Promise<() => Promise<void>> {
  const flags = Object.entries({ ...settings, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const server = startProgram(program, ['-D', data, ...flags], how);
  // Its immediate shutdown: it ends its children and gives shared memory back, and writes nothing.
  const end = (): boolean => server.kill('SIGQUIT');
  process.once('exit', end);
  const stop = async (): Promise<void> => {
    process.off('exit', end);
    if (end()) await once(server, 'exit');
  };
  try {
    await becomeReady(server, server.stderr, 'ready to accept connections');
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Who PostgreSQL runs as where we are root, as which it refuses to run. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const find = (wanted: string): string[] | undefined => users.find(([name]) => name === wanted);
  const [, , uid, gid] = find('postgres') ?? find('nobody') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
  }
  return { uid: Number(uid), gid: Number(gid) };
}
