import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeOp, fakeOp } from 'passport-oidc-hybrid/testing';
import { runProgram } from '../support/child-process.ts';
import { signInAt } from '../support/consumer.ts';
import { watchOutput } from '../support/output-watch.ts';
import { startOnFreePort } from '../support/own-server.ts';
import { type Packed, pack } from '../support/packed.ts';

/** Binaries of Node to run the applications by: `npm run test:nodes` names several. */
const nodes = (process.env['NODE_BINARIES'] ?? process.execPath).split(',');
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** What all applications have in common, whatever the spelling of their imports. */
const body = `
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const port = Number(Object(server.address()).port);
  const baseUrl = \`http://localhost:\${port}\`;
  const { OP_ISSUER = '', OP_SECRET = '', OIDC_SECRET = '', SESSION_SECRET = '' } = process.env;
  const oidc = hybridFlow({
    issuer: OP_ISSUER,
    clientId: 'client',
    clientSecret: OP_SECRET,
    baseUrl,
    secret: OIDC_SECRET,
  });
  const app = express();
  app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false }));
  app.use(oidc.router());
  app.get('/private', oidc.requireAuth(), (req, res) => {
    res.json({ sub: req.oidc.claims.sub, node: process.version, bearer: req.headers.authorization });
  });
  server.on('request', app);
  console.log(\`READY \${baseUrl}\`);
});
`;
const imports = `
import { createServer } from 'node:http';
import express from 'express';
import session from 'express-session';
import { hybridFlow } from 'passport-oidc-hybrid';
`;
const requires = `
const { createServer } = require('node:http');
const express = require('express');
const session = require('express-session');
const { hybridFlow } = require('passport-oidc-hybrid');
`;

const secrets = {
  SESSION_SECRET: 'a secret for tests, which signs session cookies',
  OIDC_SECRET: 'a secret for tests, which seals cookies and tokens',
};

const manifest = JSON.stringify({ type: 'module' });
const express5 = { express: 'express', 'express-session': 'express-session' };
const express4 = { ...express5, express: 'express4' };
const types = {
  '@types/express': '@types/express',
  '@types/express-session': '@types/express-session',
  '@types/node': '@types/node',
};

function tsconfig(compilerOptions: object): string {
  const strict = { strict: true, exactOptionalPropertyTypes: true, outDir: 'out', types: ['node'] };
  return JSON.stringify({
    compilerOptions: { target: 'ES2023', ...strict, ...compilerOptions },
    files: ['app.ts'],
  });
}

const scripts = {
  'ESM, Express 5': { file: 'app.js', text: imports, packages: express5 },
  'ESM, Express 4': { file: 'app.js', text: imports, packages: express4 },
  'require(), Express 5': { file: 'app.cjs', text: requires, packages: express5 },
  'require(), Express 4': { file: 'app.cjs', text: requires, packages: express4 },
} as const;

let packed: Packed;
let op: FakeOp;
beforeAll(async () => {
  packed = await pack();
}, 120_000);
afterAll(() => packed.remove());
beforeEach(async () => {
  op = await fakeOp();
  watchOutput(op);
});
afterEach(async () => {
  await op.stop();
});

/** What the applications of above read. */
const environment = (): Record<string, string> => ({
  OP_ISSUER: op.issuer,
  OP_SECRET: op.clientSecret,
  ...secrets,
});

/** Runs an application, and signs in there as a browser does. */
async function signIn(
  folder: string,
  file: string,
  node: string,
): Promise<Record<string, unknown>> {
  const { page, said } = await signInAt(folder, file, node, environment());
  // No warning either, but in 22.12 that require() of a module is an experiment, which 22.13 takes back.
  const isExperiment = file.endsWith('.cjs') && /^v22\.12\./.test(String(page['node']));
  expect(said).toMatch(isExperiment ? /^\(node:\d+\) ExperimentalWarning: .* require\(\)/ : /^$/);
  return page;
}

/** The same, for what it says on stderr. */
async function signInAndListen(
  folder: string,
  file: string,
  node: string,
  env: Record<string, string>,
): Promise<string> {
  const { page, said } = await signInAt(folder, file, node, { ...environment(), ...env });
  expectSignedIn(page);
  return said;
}

/** A program of the documents, with what its reader has to change: each of it is there once. */
function withOwnAddresses(program: string, own: Readonly<Record<string, string>>): string {
  return Object.entries(own).reduce((text, [shown, ours]) => {
    expect(text.split(shown)).toHaveLength(2);
    return text.replace(shown, ours);
  }, program);
}

const announcing = (port: number): string =>
  `.listen(${port}, '127.0.0.1', () => console.log('READY http://localhost:${port}'))`;

function expectSignedIn(page: Record<string, unknown>): void {
  expect(page['sub']).toBe('ada');
  expect(op.ownerOf(String(page['bearer']).slice('Bearer '.length))).toBe('ada');
}

describe.each(nodes)('the packed package, installed, run by %s', (node) => {
  it.each(Object.entries(scripts))('signs in: %s', async (_name, { file, text, packages }) => {
    const files = { 'package.json': manifest, [file]: text + body };
    const folder = await packed.install({ files, packages });
    expectSignedIn(await signIn(folder, file, node));
  });

  it.each<[name: string, options: object]>([
    ['nodenext', { module: 'nodenext' }],
    ['the resolution of bundlers', { module: 'esnext', moduleResolution: 'bundler' }],
  ])(
    'signs in: TypeScript, %s',
    async (_name, options) => {
      const files = {
        'package.json': manifest,
        'app.ts': imports + body,
        'tsconfig.json': tsconfig(options),
      };
      const folder = await packed.install({ files, packages: { ...express5, ...types } });
      await runProgram(process.execPath, [tsc, '-p', folder]);
      expectSignedIn(await signIn(folder, join('out', 'app.js'), node));
    },
    120_000,
  );

  it('signs in by the first screen of README, as it stands', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const [, shown = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    const env = { CLIENT_ID: op.clientId, CLIENT_SECRET: op.clientSecret, ...secrets };
    const { page, said } = await startOnFreePort(async (port) => {
      const baseUrl = `http://localhost:${port}`;
      const code = withOwnAddresses(shown, {
        "'https://tenant.auth0.com/'": `'${op.issuer}'`,
        "'https://app.example'": `'${baseUrl}'`,
        '.listen(3000)': announcing(port),
      });
      const files = { 'package.json': manifest, 'app.js': code };
      const folder = await packed.install({ files, packages: express5 });
      return signInAt(folder, 'app.js', node, env, '/profile');
    });
    expect([page['sub'], page['iss'], said]).toEqual(['ada', op.issuer, '']);
  }, 120_000);

  it('signs in by the minimal example', async () => {
    const shown = await readFile(join(root, 'example-app', 'minimal.ts'), 'utf8');
    const client = { CLIENT_ID: op.clientId, CLIENT_SECRET: op.clientSecret, ...secrets };
    const { page, said } = await startOnFreePort(async (port) => {
      const env = { ISSUER: op.issuer, BASE_URL: `http://localhost:${port}`, ...client };
      const files = {
        'package.json': manifest,
        'app.ts': withOwnAddresses(shown, { ".listen(3000, '127.0.0.1')": announcing(port) }),
        'tsconfig.json': tsconfig({ module: 'nodenext' }),
      };
      const folder = await packed.install({ files, packages: { ...express5, ...types } });
      await runProgram(process.execPath, [tsc, '-p', folder]);
      return signInAt(folder, join('out', 'app.js'), node, env, '/me');
    });
    expect([page['sub'], said]).toEqual(['ada', '']);
  }, 120_000);

  it('says nothing, but where NODE_DEBUG asks for it, and then no secret', async () => {
    const files = { 'package.json': manifest, 'app.js': imports + body };
    const folder = await packed.install({ files, packages: express5 });
    const said = await signInAndListen(folder, 'app.js', node, {
      NODE_DEBUG: 'passport-oidc-hybrid',
    });
    const lines = said.trim().split('\n');
    const ids = lines.map((line) => /"attemptId":"([\w-]{16})"/.exec(line)?.[1]);
    expect([lines.length, new Set(ids).size, ids.includes(undefined)]).toEqual([4, 1, false]);
    expect(lines.at(-1)).toMatch(/^PASSPORT-OIDC-HYBRID \d+: signed in /);
    for (const secret of [op.clientSecret, ...op.handedOut]) expect(said).not.toContain(secret);
  });

  it('has a command, which examines an OP', async () => {
    const folder = await packed.install({ files: { 'package.json': manifest }, packages: {} });
    const command = String(packed.manifest.bin?.['passport-oidc-hybrid']);
    const file = join(folder, 'node_modules', 'passport-oidc-hybrid', command);
    const args = [
      '--issuer',
      op.issuer,
      '--client-id',
      'client',
      '--base-url',
      'http://localhost:3000',
    ];
    const env = { CLIENT_SECRET: op.clientSecret };
    const { stdout } = await runProgram(node, [file, 'doctor', ...args], { env });
    expect(stdout).toMatch(/its credentials are right.*Nothing has to change\./s);
    const wrong = runProgram(node, [file, 'doctor', ...args, '--response-type', 'token']);
    await expect(wrong).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('responseType'),
    });
  });

  it('is one package, however it is imported, and has the part for tests apart', async () => {
    const text = `
      import { createRequire } from 'node:module';
      import * as imported from 'passport-oidc-hybrid';
      import { fakeOp } from 'passport-oidc-hybrid/testing';
      const required = createRequire(import.meta.url)('passport-oidc-hybrid');
      const isOne = required.HybridFlowError === imported.HybridFlowError;
      console.log(isOne, typeof fakeOp, 'fakeOp' in imported);
    `;
    const files = { 'package.json': manifest, 'app.js': text };
    const folder = await packed.install({ files, packages: express5 });
    const { stdout } = await runProgram(node, ['app.js'], { cwd: folder });
    expect(stdout.trim()).toBe('true function false');
  });
});
