import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Report {
  readonly testResults: readonly { readonly name: string; readonly message: string }[];
}

it('fails a test file that prints a secret or a token, by itself or by a program that it starts', async () => {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const match = ['--testMatch', '**/test/output-watch/*.leak.ts', '--maxWorkers=1', '--json'];
  const args = ['--experimental-vm-modules', '--no-warnings', jest, ...match];
  const { stdout } = await runProgram(process.execPath, args, { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  const { testResults } = JSON.parse(stdout.slice(stdout.search(/^\{"/m))) as Report;
  const told = testResults.map(({ name, message }) => [
    name.slice(name.lastIndexOf('/') + 1, -'.leak.ts'.length),
    message.includes('secrets or tokens have been printed'),
  ]);
  expect(Object.fromEntries(told)).toEqual({
    nothing: false,
    test: true,
    name: true,
    'program-with-token': true,
    'program-with-cookie': true,
    'program-with-secret': true,
  });
  const files = await readdir(join(root, 'test', 'output-watch'));
  expect(told).toHaveLength(files.filter((name) => name.endsWith('.leak.ts')).length);
}, 120_000);
