import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const root = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const document = read('docs/conformance.md');
const filesIn = (folder: string): string[] =>
  readdirSync(new URL(`test/conformance/${folder}`, root)).sort();

describe('docs/conformance.md', () => {
  const modules = [
    ...document.matchAll(/^\| `(oidcc-client-test[\w-]*)` \| `([\w.-]+\.test\.ts)`/gm),
  ];

  it('names a file for each module, and the file has a describe block of that name', () => {
    expect(modules.length).toBeGreaterThan(30);
    for (const [, module, file] of modules) {
      expect(read(`test/conformance/openid-rp/${file}`)).toContain(`describe('${module}', `);
    }
  });

  it('names each module that has a test', () => {
    const tested = filesIn('openid-rp').flatMap((file) =>
      [...read(`test/conformance/openid-rp/${file}`).matchAll(/describe\('(oidcc-[\w-]+)'/g)].map(
        ([, module]) => module,
      ),
    );
    expect(tested.sort()).toEqual(modules.map(([, module]) => module).sort());
  });

  it('names each attack that has a file, and no other', () => {
    const attacks = [...document.matchAll(/^\| .* \| `([\w-]+\.test\.ts)` \|$/gm)].map(
      ([, file]) => file,
    );
    const named = attacks.filter((file) => !file?.startsWith('oidcc-'));
    expect(named.sort()).toEqual(filesIn('attacks'));
  });

  it('names only tests that exist', () => {
    const paths = [...document.matchAll(/`((?:conformance|oidc|http|properties)\/[\w./-]+\.ts)`/g)];
    expect(paths.length).toBeGreaterThan(40);
    for (const [, path] of paths) {
      expect([path, existsSync(new URL(`test/${path}`, root))]).toEqual([path, true]);
    }
  });
});
