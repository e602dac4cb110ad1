import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.github', 'workflows');

const readWorkflows = async (): Promise<string[]> =>
  Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));

it('pins each action of the workflows by a commit, and says which version that is', async () => {
  const lines = (await readWorkflows()).flatMap((text) => text.match(/\buses:.*$/gm) ?? []);
  expect(lines.length).toBeGreaterThan(4);
  const pinned = /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
  expect(lines.filter((line) => !pinned.test(line))).toEqual([]);
});

it('gives workflows no right but those that a job names, and an identity to the release alone', async () => {
  const workflows = await readWorkflows();
  expect(workflows.filter((text) => !/^permissions: \{\}$/m.test(text))).toEqual([]);
  const rights = workflows.flatMap((text) => text.match(/^ +[\w-]+: (read|write)$/gm) ?? []);
  const written = rights.map((line) => line.trim()).filter((right) => right !== 'contents: read');
  expect(written).toEqual(['id-token: write']);
});

it('tests by each line of Node that the package is for', async () => {
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const lines = [...String(engines.node).matchAll(/(?:\^|>=)(\d+)/g)].map(([, line]) => line);
  const ci = await readFile(join(folder, 'ci.yml'), 'utf8');
  const [, versions = ''] = /node: \[(.*)\]/.exec(ci) ?? [];
  const tested = versions.match(/\d+(\.\d+)?/g) ?? [];
  expect(lines).toEqual(['20', '22', '24']);
  expect(tested).toEqual(expect.arrayContaining(['20.19', ...lines]));
});
