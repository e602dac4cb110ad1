import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const root = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const document = read('docs/conformance.md');
const filesIn = (folder: string): string[] =>
  readdirSync(new URL(`test/conformance/${folder}`, root)).sort();

describe('docs/specifications.md', () => {
  const rows = read('docs/specifications.md')
    .split('\n')
    .filter((line) => /^\| .*\.test\.ts` \|$/.test(line))
    .map((line) => line.slice(2, -2).split(' | '));

  it('has in each row a specification, an option and tests that exist', () => {
    expect(rows.length).toBeGreaterThan(0);
    for (const [specification, , tests = ''] of rows) {
      expect(specification).toMatch(/^\[.*\]\(https:\/\/.*\)/);
      const paths = [...tests.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path]) => path);
      expect(paths.length).toBeGreaterThan(0);
      for (const path of paths) {
        expect([path, existsSync(new URL(`test/${path}`, root))]).toEqual([path, true]);
      }
    }
  });

  it('names options as docs/options.md has them', () => {
    const [all = ''] = read('docs/options.md').split('\n## ');
    const known = [...all.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    for (const [, options = ''] of rows) {
      const named = [...options.matchAll(/`(\w+)`/g)].map(([, name]) => name);
      expect(known).toEqual(expect.arrayContaining(named));
    }
  });
});

describe('docs/conformance.md', () => {
  const modules = [
    ...document.matchAll(/^\| `(oidcc-client-test[\w-]*)` \| `([\w.-]+\.test\.ts)`/gm),
  ];

  it('names a file of its own for each module, with a describe block of that name', () => {
    expect(modules.length).toBeGreaterThan(40);
    for (const [, module, file] of modules) {
      expect(file).toBe(`${module}.test.ts`);
      expect(read(`test/conformance/openid-rp/${file}`)).toContain(`describe('${module}', `);
    }
  });

  it('has a row for each module of each plan', () => {
    const [, plans = ''] = /^\| plan \| modules \|\n([\s\S]*?)\n\n/m.exec(document) ?? [];
    const names = [...plans.matchAll(/`(-?)([\w-]+)`/g)].map(([, isEnd, name]) => {
      if (isEnd) return `oidcc-client-test-rp-backchannel-rpinitlogout-${name}`;
      return name === 'oidcc-client-test' ? name : `oidcc-client-test-${name}`;
    });
    expect(names.length).toBeGreaterThan(30);
    const rows = [...document.matchAll(/^\| (`oidcc-client-test[^|]*)/gm)].join(' ');
    // A reason why there is nothing to test has several names in one row, the later ones by their ends.
    const isThere = (name: string): boolean =>
      rows.includes(`\`${name}\``) || rows.includes(`\`${name.replace('oidcc-client-test', '')}\``);
    expect(names.filter((name) => !isThere(name))).toEqual([]);
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
    const paths = [
      ...document.matchAll(/`((?:conformance|integration|oidc|http|properties)\/[\w./-]+\.ts)`/g),
    ];
    expect(paths.length).toBeGreaterThan(40);
    for (const [, path] of paths) {
      expect([path, existsSync(new URL(`test/${path}`, root))]).toEqual([path, true]);
    }
  });
});
