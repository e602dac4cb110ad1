import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publint } from 'publint';
import { type Packed, pack } from '../support/packed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let packed: Packed;
beforeAll(async () => {
  packed = await pack();
}, 120_000);
afterAll(() => packed.remove());

describe('the packed package', () => {
  it('holds what is needed at run time, its sources and its documentation, and nothing else', () => {
    const folders = packed.files.map(({ path }) => path.replace(/\/.*/, ''));
    const top = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'];
    expect([...new Set(folders)].sort()).toEqual([...top, 'dist', 'docs', 'lib', 'package.json']);
    const kinds = packed.files.map(({ path }) => /(\.d)?\.\w+(\.map)?$/.exec(path)?.[0] ?? path);
    expect([...new Set(kinds)].sort()).toEqual(
      ['.d.ts', '.d.ts.map', '.js', '.js.map', '.json', '.md', '.svg', '.ts', 'LICENSE'].sort(),
    );
  });

  it('is what publint calls right', async () => {
    const { messages } = await publint({ pkgDir: packed.content, strict: true });
    expect(messages).toEqual([]);
  });

  it('has types that every kind of consumer finds; that it is ESM for require() is meant', async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(await readFile(packed.tarball)));
    const analysis = await checkPackage(tarball);
    if (analysis.types === false) throw new Error('the package has no types');
    // Resolution as of Node 10 knows no "exports"; the Nodes that this package is for do.
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
    );
    expect(new Set(problems.map(({ kind }) => kind))).toEqual(new Set(['CJSResolvesToESM']));
    expect(Object.keys(analysis.entrypoints)).toEqual(['.', './testing', './package.json']);
  }, 60_000);

  it('stays within its budget: four dependencies, five packages, 700 KB packed, 600 KB of code', async () => {
    expect(Object.keys(packed.manifest.dependencies)).toEqual([
      'cookie',
      'jose',
      'openid-client',
      'undici',
    ]);
    expect(await closure('passport-oidc-hybrid')).toEqual([
      'cookie',
      'jose',
      'oauth4webapi',
      'openid-client',
      'undici',
    ]);
    const code = packed.files.filter(({ path }) => path.endsWith('.js'));
    expect(sum(code.map(({ size }) => size))).toBeLessThan(600_000);
    expect(packed.tarballBytes).toBeLessThan(700_000);
  });

  it('does not load the OP for tests with the library, and neither Passport nor express-session', async () => {
    const loaded = await graph(join(packed.content, 'dist', 'index.js'));
    expect(loaded.files.length).toBeGreaterThan(50);
    expect(loaded.files.filter((file) => file.includes('/testing/'))).toEqual([]);
    const foreign = loaded.packages.filter((name) => !name.startsWith('node:'));
    expect(foreign).toEqual(['cookie', 'express', 'jose', 'openid-client']);
  });
});

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

/** All packages that an installation brings, besides peers. */
async function closure(name: string, seen = new Set<string>()): Promise<string[]> {
  const manifest =
    name === 'passport-oidc-hybrid'
      ? packed.manifest
      : JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (seen.has(dependency)) continue;
    seen.add(dependency);
    await closure(dependency, seen);
  }
  return [...seen].sort();
}

/** The files that an entry loads, and the packages that they import. */
async function graph(entry: string): Promise<{ files: string[]; packages: string[] }> {
  const files = new Set<string>([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const statements = /^(?:import|export) (?:[^'";()]* from )?'([^']+)';$/gm;
    for (const [, specifier = ''] of text.matchAll(statements)) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else packages.add(specifier);
    }
  }
  return { files: [...files], packages: [...packages].sort() };
}
