import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientOf, type FakeOp, fakeOp, signInAs } from 'passport-oidc-hybrid/testing';
import request from 'supertest';
import { createMinimalApp } from '../example-app/minimal.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

describe('the minimal example', () => {
  let op: FakeOp;
  beforeEach(async () => {
    op = await fakeOp();
  });
  afterEach(() => op.stop());

  it('signs in', async () => {
    const { issuer, clientId, clientSecret, secret } = clientOf(op);
    const app = createMinimalApp({
      ISSUER: issuer,
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
      BASE_URL: 'http://localhost:3000',
      OIDC_SECRET: secret,
      SESSION_SECRET: 'for tests',
    });
    const agent = request.agent(app);
    expect((await agent.get('/').expect(200)).text).toContain('Sign in');
    await agent.get('/me').expect(401);
    await signInAs(agent, 'grace');
    expect((await agent.get('/').expect(200)).text).toContain('Sign out');
    expect((await agent.get('/me').expect(200)).body.sub).toBe('grace');
  });

  it('is short', async () => {
    expect((await read('example-app/minimal.ts')).split('\n').length).toBeLessThan(40);
  });
});

describe('the Dockerfile of the example', () => {
  it('installs what the shop imports, and at the versions of the lock', async () => {
    const manifest = JSON.parse(await read('package.json'));
    const { packages } = JSON.parse(await read('package-lock.json'));
    const install = /npm install [^\n]*\\\n(.*)/.exec(
      await read('example-app/deploy/Dockerfile'),
    )?.[1];
    const pinned = new Map(
      (install ?? '')
        .trim()
        .split(' ')
        .map((one) => one.split('@') as [string, string]),
    );
    for (const [name, version] of pinned) {
      expect([name, version]).toEqual([name, packages[`node_modules/${name}`].version]);
    }
    const present = [
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
      ...pinned.keys(),
      manifest.name,
    ];
    const imported = new Set<string>();
    for (const name of await readdir(join(root, 'example-app'))) {
      // The local OP is not loaded where ISSUER is set, and there has to be one.
      if (!name.endsWith('.ts') || /^op(-(?!accounts)\w+)?\.ts$/.test(name)) continue;
      for (const [, from = ''] of (await read(`example-app/${name}`)).matchAll(
        / from '([^.'][^']*)'/g,
      )) {
        if (!from.startsWith('node:')) imported.add(from);
      }
    }
    expect([...imported].filter((name) => !present.includes(name))).toEqual([]);
    expect([...pinned.keys()].filter((name) => !imported.has(name) && name !== 'ejs')).toEqual([]);
  });
});
