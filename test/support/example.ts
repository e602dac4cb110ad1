import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProgram } from './child-process.ts';
import { listen } from './listen.ts';
import { keepSecret } from './output-watch.ts';

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

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `npm start` builds and runs, in a folder of its own: two that build in one place break each other. */
async function copyProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'example-'));
  const parts = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'lib', 'example-app'];
  const builds = join(root, 'example-app', 'dist');
  for (const part of parts) {
    const options = { recursive: true, filter: (source: string) => source !== builds };
    await cp(join(root, part), join(folder, part), options);
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs `npm start` on free ports, and waits for its last line. */
export async function startExample(): Promise<Example> {
  const folder = await copyProject();
  const [PORT, OP_PORT, API_PORT] = [await freePort(), await freePort(), await freePort()];
  // Its OP is in its own process, so only there is seen which tokens it gives.
  const secrets = join(folder, 'secrets-of-wire');
  await writeFile(secrets, '');
  const watch = pathToFileURL(join(root, 'test', 'support', 'wire-secrets-to-file.js'));
  const env = { NODE_OPTIONS: `--import ${watch}`, SECRETS_OF_WIRE: secrets };
  const example = startProgram('npm', ['start'], {
    cwd: folder,
    env: { ...process.env, PORT, OP_PORT, API_PORT, ...env },
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
        keepSecret(...(await readFile(secrets, 'utf8')).split('\n'));
        await rm(folder, { recursive: true });
      },
    };
  }
  await rm(folder, { recursive: true });
  throw new Error(`the example did not start:\n${output.join('\n')}`);
}
