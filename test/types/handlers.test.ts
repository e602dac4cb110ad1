import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

/** CommonJS: `require()` of the package, which is ESM. */
const required = `
import express = require('express');
import oidcHybrid = require('passport-oidc-hybrid');

declare const options: oidcHybrid.HybridFlowOptions;
const app = express();
const oidc = oidcHybrid.hybridFlow<{ roles: string[] }>(options);
app.get('/', oidc.requireAuth(), (req, res) => {
  const roles: string[] = req.oidc.claims.roles;
  res.json(roles);
});
`;

/** Where applications have Express 5, and where they have Express 4, and the package. */
let folders: { express5: string; express4: string };
const published = (folder: string): string => join(folder, 'node_modules', 'passport-oidc-hybrid');

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'types-'));
  folders = { express5: join(folder, 'express5'), express4: join(folder, 'express4') };
  const declared = join(folder, 'dist');
  const build = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', declared];
  expect(await compile(build)).toBe('');
  await install(folders.express5, declared, 'express');
  await install(folders.express4, declared, 'express4');
}, 60_000);
afterAll(() => rm(join(folders.express5, '..'), { recursive: true, force: true }));

async function install(folder: string, declared: string, express: string): Promise<void> {
  const types = join(folder, 'node_modules', '@types');
  await mkdir(types, { recursive: true });
  await linkAll(modules, join(folder, 'node_modules'));
  await linkAll(join(modules, '@types'), types);
  await rm(join(types, 'express'));
  await symlink(join(modules, '@types', express), join(types, 'express'));
  await cp(declared, join(published(folder), 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(published(folder), 'package.json'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['handlers.ts', 'options.ts']) {
    await cp(join(root, 'test', 'types', name), join(folder, name));
  }
  await writeFile(join(folder, 'required.cts'), required);
}

/** What is there already stays. */
async function linkAll(from: string, to: string): Promise<void> {
  const present = new Set(await readdir(to));
  for (const name of await readdir(from)) {
    if (!present.has(name)) await symlink(join(from, name), join(to, name));
  }
}

/** What the compiler has to say. */
async function compile(args: string[]): Promise<string> {
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  const run = runProgram(process.execPath, [tsc, ...args], { cwd: root });
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

/** Compiles a file as an application that has installed the package. */
async function compileIn(folder: string, file: string, options: object = {}): Promise<string> {
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2023'],
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    // So that all packages find the Express of this folder.
    preserveSymlinks: true,
    ...options,
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files: [file] }));
  return compile(['-p', config]);
}

const exact = { exactOptionalPropertyTypes: true };
const bundler = { module: 'ESNext', moduleResolution: 'bundler' };

describe('an application that compiles against the published types', () => {
  it.each([
    ['Express 5', 'express5', {}],
    ['Express 5 and exactOptionalPropertyTypes', 'express5', exact],
    ['Express 4', 'express4', {}],
    ['Express 4 and exactOptionalPropertyTypes', 'express4', exact],
    ['the resolution of bundlers', 'express5', bundler],
  ] as const)(
    'sees with %s what a guard has let pass, and nothing where there is none',
    async (_with, express, options) => {
      expect(await compileIn(folders[express], 'handlers.ts', options)).toBe('');
    },
  );

  it.each([
    ['express5', exact],
    ['express4', exact],
    ['express5', bundler],
  ] as const)('may write undefined for what it leaves out: %s, %j', async (express, options) => {
    expect(await compileIn(folders[express], 'options.ts', { ...exact, ...options })).toBe('');
  });

  it.each([
    ['express5', {}],
    ['express5', exact],
    ['express4', {}],
    ['express4', exact],
  ] as const)('may be CommonJS, with %s, %j', async (express, options) => {
    expect(await compileIn(folders[express], 'required.cts', options)).toBe('');
  });

  it('is told of a mistake in the way that these tests look for', async () => {
    const wrong = required.replace('roles: string[] }', 'roles: number[] }');
    await writeFile(join(folders.express5, 'wrong.cts'), wrong);
    expect(await compileIn(folders.express5, 'wrong.cts')).toMatch(
      /wrong\.cts\(9,9\): error TS2322/,
    );
  });

  it.each([
    ['express5', {}],
    ['express5', exact],
    ['express4', exact],
  ] as const)(
    'finds declarations that are sound by themselves, without skipLibCheck: %s, %j',
    async (express, options) => {
      const both = "import 'passport-oidc-hybrid';\nimport 'passport-oidc-hybrid/testing';\n";
      await writeFile(join(folders[express], 'whole.ts'), both);
      const unspared = { skipLibCheck: false, ...options };
      expect(await compileIn(folders[express], 'whole.ts', unspared)).toBe('');
    },
  );

  it('says itself what a user is', async () => {
    const declared = join(published(folders.express5), 'dist');
    const names = await readdir(declared, { recursive: true });
    const files = names.filter((name) => name.endsWith('.d.ts'));
    const texts = await Promise.all(files.map((name) => readFile(join(declared, name), 'utf8')));
    const globals = texts.filter((text) => text.includes('declare global'));
    expect(globals).toHaveLength(1);
    expect(globals.join()).not.toMatch(/interface (User|AuthInfo|Session|SessionData)\b/);
  });
});
