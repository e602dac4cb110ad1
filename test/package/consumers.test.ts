import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeOp, fakeOp } from 'passport-oidc-hybrid/testing';
import { Browser } from '../support/browser.ts';
import { json } from '../support/flow.ts';
import { type Packed, pack } from '../support/packed.ts';

/** Binaries of Node to run the applications by: `npm run test:nodes` names several. */
const nodes = (process.env['NODE_BINARIES'] ?? process.execPath).split(',');
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** What all applications have in common, whatever the spelling of their imports. */
const body = `
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const port = Number(Object(server.address()).port);
  const baseUrl = \`http://localhost:\${port}\`;
  const { OP_ISSUER = '', OP_SECRET = '' } = process.env;
  const oidc = hybridFlow({
    issuer: OP_ISSUER,
    clientId: 'client',
    clientSecret: OP_SECRET,
    baseUrl,
    secret: 'a secret for tests, which seals cookies and tokens',
  });
  const app = express();
  app.use(session({ secret: 'for tests', resave: false, saveUninitialized: false }));
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
let application: ChildProcess | undefined;
beforeAll(async () => {
  packed = await pack();
}, 120_000);
afterAll(() => packed.remove());
beforeEach(async () => {
  op = await fakeOp();
});
afterEach(async () => {
  application?.kill();
  application = undefined;
  await op.stop();
});

/** Runs an application, and signs in there as a browser does. */
async function signIn(
  folder: string,
  file: string,
  node: string,
): Promise<Record<string, unknown>> {
  const env = { OP_ISSUER: op.issuer, OP_SECRET: op.clientSecret };
  const run = spawn(node, ['--throw-deprecation', file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  application = run;
  const said: string[] = [];
  run.stderr.on('data', (chunk) => said.push(String(chunk)));
  const ended = once(run, 'close');
  for await (const line of createInterface({ input: run.stdout })) {
    const url = /^READY (.*)$/.exec(line)?.[1];
    if (url === undefined) continue;
    const page = json(await new Browser().navigate(`${url}/private`));
    // No warning either, but in 22.12 that require() of a module is an experiment, which 22.13 takes back.
    const isExperiment = file.endsWith('.cjs') && /^v22\.12\./.test(String(page['node']));
    expect(said.join('')).toMatch(
      isExperiment ? /^\(node:\d+\) ExperimentalWarning: .* require\(\)/ : /^$/,
    );
    run.kill();
    await ended;
    return page;
  }
  throw new Error(`the application did not start: ${said.join('')}`);
}

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
  ])('signs in: TypeScript, %s', async (_name, options) => {
    const files = {
      'package.json': manifest,
      'app.ts': imports + body,
      'tsconfig.json': tsconfig(options),
    };
    const folder = await packed.install({ files, packages: { ...express5, ...types } });
    await promisify(execFile)(process.execPath, [tsc, '-p', folder]);
    expectSignedIn(await signIn(folder, join('out', 'app.js'), node));
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
    const { stdout } = await promisify(execFile)(node, [file, 'doctor', ...args], { env });
    expect(stdout).toMatch(/its credentials are right.*Nothing has to change\./s);
    const wrong = promisify(execFile)(node, [file, 'doctor', ...args, '--response-type', 'token']);
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
    const { stdout } = await promisify(execFile)(node, ['app.js'], { cwd: folder });
    expect(stdout.trim()).toBe('true function false');
  });
});
