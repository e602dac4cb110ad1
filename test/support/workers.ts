import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommonOptions } from 'passport-oidc-hybrid';
import type { LyingOp } from '../../lib/testing/lying-op.ts';
import { type ChildProcess, runProgram, startModule } from './child-process.ts';
import { sealingSecret } from './flow.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A clock that runs, and can be moved on: processes cannot share one that stands still. */
export interface OffsetClock {
  /** Milliseconds. */
  offset: number;
  now: () => number;
}

export function createOffsetClock(): OffsetClock {
  const clock: OffsetClock = { offset: 0, now: () => Date.now() + clock.offset };
  return clock;
}

/** A process of the application. */
export interface Worker {
  readonly baseUrl: string;
  /** Ends it as a machine that fails does. */
  kill(): Promise<void>;
}

/** Processes that share a Redis and an OP. */
export interface Workers {
  /** Moves the clocks of all on, that of the OP included. */
  advance(seconds: number): Promise<void>;
  start(options?: Partial<CommonOptions>): Promise<Worker>;
  stop(): Promise<void>;
}

/** Builds the package into a folder of its own, for the processes to run. */
export async function buildWorkers(
  op: LyingOp,
  redisUrl: string,
  clock: OffsetClock,
): Promise<Workers> {
  const folder = await mkdtemp(join(root, 'worker-'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(root, 'tsconfig.build.json');
  await runProgram(process.execPath, [tsc, '-p', project, '--outDir', folder]);
  const running: { process: ChildProcess; baseUrl: string }[] = [];
  return {
    async start(options = {}) {
      const settings = {
        library: join(folder, 'index.js'),
        redisUrl,
        clockOffset: clock.offset,
        sessionSecret: 'a secret for tests, which signs session cookies',
        options: {
          issuer: op.issuer,
          clientId: op.clientId,
          clientSecret: op.clientSecret,
          secret: sealingSecret,
          ...options,
        },
      };
      const { sessionSecret, options: given } = settings;
      const worker = startModule(join(root, 'test', 'support', 'worker.js'), {
        env: { ...process.env, WORKER_SETTINGS: JSON.stringify(settings) },
        execArgv: [],
        secrets: [sessionSecret, sealingSecret, given.clientSecret],
      });
      const [{ baseUrl }] = (await once(worker, 'message')) as [{ baseUrl: string }];
      running.push({ process: worker, baseUrl });
      return { baseUrl, kill: () => end(worker) };
    },
    async advance(seconds) {
      clock.offset += seconds * 1000;
      for (const { process: worker, baseUrl } of running) {
        if (hasEnded(worker)) continue;
        await fetch(`${baseUrl}/clock?offset=${clock.offset}`, { method: 'POST' });
      }
    },
    async stop() {
      await Promise.all(running.map(({ process: worker }) => end(worker)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function hasEnded(worker: ChildProcess): boolean {
  return worker.exitCode !== null || worker.signalCode !== null;
}

async function end(worker: ChildProcess): Promise<void> {
  if (hasEnded(worker)) return;
  const ended = once(worker, 'exit');
  worker.kill('SIGKILL');
  await ended;
}
