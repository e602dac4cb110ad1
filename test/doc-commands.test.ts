import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { runCommand } from '../lib/doctor/command-line.ts';
import { runProgram } from './support/child-process.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Text of all pages, by their names. */
async function readPages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const folder of ['.', 'docs', 'example-app', 'bench']) {
    for (const name of await readdir(join(root, folder), { recursive: folder === 'docs' })) {
      const path = join(folder, name);
      if (name.endsWith('.md')) pages.set(path, await readFile(join(root, path), 'utf8'));
    }
  }
  return pages;
}

const snippetsOf = async (language: string): Promise<string[]> =>
  [...(await readPages()).values()].flatMap((text) =>
    [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)\`\`\``, 'gms'))].map(
      ([, code = '']) => code,
    ),
  );

/** Has a program look at each snippet in a file of its own, without running it. */
async function check(snippets: string[], name: string, program: string, args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'commands-'));
  try {
    for (const snippet of snippets) {
      await writeFile(join(folder, name), snippet);
      await runProgram(program, [...args, join(folder, name)]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('shows commands that a shell can read, and scripts for browsers that JavaScript is', async () => {
  const [commands, scripts] = [await snippetsOf('sh'), await snippetsOf('js')];
  expect([commands.length > 10, scripts.length > 0]).toEqual([true, true]);
  await check(commands, 'commands.sh', 'sh', ['-n']);
  await check(scripts, 'script.mjs', process.execPath, ['--check']);
  await expect(check(['if true; then'], 'commands.sh', 'sh', ['-n'])).rejects.toThrow();
});

it('names scripts of npm that there are, and tests that there are', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const tests = (await readdir(join(root, 'test'), { recursive: true }))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`);
  const wrong: string[] = [];
  let named = 0;
  for (const [page, text] of await readPages()) {
    for (const [command, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) {
      named += 1;
      if (!(name in scripts)) wrong.push(`${page}: ${command}`);
    }
    for (const [command, pattern = ''] of text.matchAll(/npm test -- ([\w./-]+)/g)) {
      named += 1;
      if (!tests.some((test) => test.includes(pattern))) wrong.push(`${page}: ${command}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(named).toBeGreaterThan(10);
});

it('shows doctor with arguments that it has', async () => {
  let usage = '';
  const print = (text: string): void => {
    usage += text;
  };
  await runCommand(['--help'], { env: {}, readStdin: async () => '', print });
  const known = new Set(usage.match(/--[a-z-]+/g));
  const commands = (await snippetsOf('sh')).filter((text) => text.includes('hybrid doctor'));
  const shown = commands.flatMap((text) => text.match(/--[a-z-]+/g) ?? []);
  const page = (await readPages()).get(join('docs', 'doctor.md')) ?? '';
  const listed = page.match(/(?<=`)--[a-z-]+/g) ?? [];
  expect([...shown, ...listed].filter((name) => name !== '--help' && !known.has(name))).toEqual([]);
  const unlisted = [...known].filter((name) => !page.includes(name));
  expect([commands.length > 2, unlisted]).toEqual([true, []]);
});
