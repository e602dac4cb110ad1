import {
  type ChildProcess,
  type ChildProcessByStdio,
  type ForkOptions,
  fork,
  type SpawnOptions,
  spawn,
} from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { keepSecret, watchProgram } from './output-watch.ts';

export type { ChildProcess } from 'node:child_process';

/** How a program is started, and which secrets it must not print. */
export interface ProgramOptions
  extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid' | 'detached'> {
  /** Secrets that it gets otherwise than by a variable of its environment that is named so. */
  readonly secrets?: readonly string[];
}

/** A program that runs, without an input. */
export type Program = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Starts a program. All programs of tests are started here, and all that they print is searched for secrets when
 * the test file is done: see `environment.js`.
 */
export function startProgram(
  file: string,
  args: readonly string[],
  { secrets, ...options }: ProgramOptions = {},
): Program {
  const program = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  watch(program, options.env, secrets);
  return program;
}

/** Starts a module of ours that can be talked to. */
export function startModule(
  file: string,
  { secrets, ...options }: ProgramOptions & Pick<ForkOptions, 'execArgv'> = {},
): ChildProcess {
  const program = fork(file, [], { ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  watch(program, options.env, secrets);
  return program;
}

/**
 * Runs a program to its end.
 *
 * @throws Error with `code`, `stdout` and `stderr`, where its status is another than 0
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const program = startProgram(file, args, options);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    program[name].setEncoding('utf8').on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const [code] = await once(program, 'close');
  if (code === 0) return said;
  const error = new Error(`${file} ended with ${code}:\n${said.stdout}${said.stderr}`);
  throw Object.assign(error, { code, ...said });
}

function watch(
  program: ChildProcess,
  environment: NodeJS.ProcessEnv = {},
  secrets: readonly string[] = [],
): void {
  keepSecret(...secrets);
  for (const [name, value = ''] of Object.entries(environment)) {
    // Shorter ones are words that any text may have.
    if (/SECRET|PASSWORD|TOKEN/.test(name) && value.length >= 8) keepSecret(value);
  }
  const done = new Promise((resolve) => {
    program.once('close', resolve).once('error', resolve);
  });
  for (const stream of [program.stdout, program.stderr]) {
    const chunks: string[] = [];
    stream?.on('data', (chunk) => chunks.push(String(chunk)));
    const hasEnded = (): boolean => program.exitCode !== null || program.signalCode !== null;
    watchProgram({ chunks, done, hasEnded });
  }
}
