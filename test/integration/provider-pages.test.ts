import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { startAuth0Op } from '../support/auth0-op.ts';
import { Browser } from '../support/browser.ts';
import { runProgram } from '../support/child-process.ts';
import { json } from '../support/flow.ts';
import type { HostedOp } from '../support/hosted-op.ts';
import { type Listening, listen } from '../support/listen.ts';
import { startPingOneOp } from '../support/pingone-op.ts';
import { startResourceServer } from '../support/resource-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ends: (() => Promise<void>)[] = [];
const secrets = ['CLIENT_SECRET', 'OIDC_SECRET', 'SESSION_SECRET'];
const variables = ['AUTH0_DOMAIN', 'ENVIRONMENT_ID', 'CLIENT_ID', ...secrets];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  for (const name of variables) delete process.env[name];
});

const readPage = (page: string): Promise<string> =>
  readFile(join(root, 'docs', 'providers', page), 'utf8');

/**
 * The server of a page, as it is printed: but for the port, for the stand-in in the service's place and
 * for the API.
 */
async function runPage(
  page: string,
  { server, port }: Listening,
  issuer: string,
  apiUrl: string,
): Promise<void> {
  const text = await readPage(page);
  const [, code = ''] = /Save this as `server\.mjs`:\n\n```ts\n(.*?)```/s.exec(text) ?? [];
  const [, route = ''] = /## 3\. Call your API\n\n```ts\n(.*?)```/s.exec(text) ?? [];
  const changed = code
    .replace('app.use(oidc.errorHandler());', (line) => `${route}${line}`)
    .replace('https://api.example/orders', `${apiUrl}/orders`)
    .replace("baseUrl: 'http://localhost:3000',", (line) => {
      return `${line.replace('3000', String(port))} issuer: '${issuer}',`;
    })
    .replace(/app\.listen\(3000, .*\);/, 'export { app };');
  const folder = await mkdtemp(join(root, 'test', 'page-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'server.mjs');
  await writeFile(file, changed);
  const { app } = (await import(pathToFileURL(file).href)) as { app: RequestListener };
  server.on('request', app);
}

it.each([
  ['auth0.md', 'Hello, Ada Marwick.'],
  ['pingone.md', 'Hello, aaaaaaaa-0000-4000-8000-000000000001.'],
])(
  'docs/providers/%s leads to a page that shows who is signed in, to an API, and out again',
  async (page, hello) => {
    const listening = await listen();
    ends.push(listening.close);
    const baseUrl = `http://localhost:${listening.port}`;
    const addresses = {
      redirectUris: [`${baseUrl}/callback`],
      postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
    };
    const isAuth0 = page === 'auth0.md';
    const op: HostedOp & { clientId: string; clientSecret: string } = isAuth0
      ? await startAuth0Op(addresses)
      : await startPingOneOp(addresses);
    ends.push(op.close);
    Object.assign(process.env, {
      AUTH0_DOMAIN: 'tenant.eu.auth0.com',
      ENVIRONMENT_ID: '0f1e2d3c-4b5a-4678-9abc-def012345678',
      CLIENT_ID: op.clientId,
      CLIENT_SECRET: op.clientSecret,
      OIDC_SECRET: 'a secret for tests, of 32 characters and more',
      SESSION_SECRET: 'another secret for tests, which signs session cookies',
    });
    const orders = await startResourceServer({ op });
    ends.push(orders.close);
    await runPage(page, listening, op.issuer, orders.url);

    const browser = new Browser();
    expect((await browser.navigate(baseUrl)).text).toBe('Nobody is signed in. Open /profile.');
    const profile = await browser.navigate(`${baseUrl}/profile`);
    expect(json(profile)).toMatchObject({ iss: op.issuer, aud: op.clientId });
    expect((await browser.navigate(baseUrl)).text).toBe(hello);
    const { sub } = json(profile);
    expect(json(await browser.navigate(`${baseUrl}/orders`))).toMatchObject({ sub });
    expect(orders.calls).toEqual({ accepted: 1, refused: 0 });
    const logout = { method: 'GET', url: `${baseUrl}/logout`, from: baseUrl } as const;
    expect((await browser.navigate(logout)).text).toBe('Nobody is signed in. Open /profile.');
  },
);

it.each(['auth0.md', 'pingone.md'])(
  'docs/providers/%s has JavaScript, as server.mjs is',
  async (page) => {
    const folder = await mkdtemp(join(root, 'test', 'page-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const snippets = [...(await readPage(page)).matchAll(/```ts\n(.*?)```/gs)];
    expect(snippets.length).toBeGreaterThan(3);
    for (const [index, [, code = '']] of snippets.entries()) {
      const file = join(folder, `snippet-${index}.mjs`);
      await writeFile(file, code);
      await runProgram(process.execPath, ['--check', file]);
    }
  },
);
