import { execFile } from 'node:child_process';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = fileURLToPath(new URL('../node_modules', import.meta.url));

/** What an application imports for each of the peers, beside Express. */
export const imports = {
  express: [],
  'express-session, passport, openid-client': ['express-session', 'passport', 'openid-client'],
  'passport-oidc-hybrid': ['express-session', 'passport-oidc-hybrid'],
  'express-openid-connect': ['express-openid-connect'],
  'passport-openidconnect': ['express-session', 'passport', 'passport-openidconnect'],
  "openid-client's strategy": [
    'express-session',
    'passport',
    'openid-client',
    'openid-client/passport',
  ],
  'Auth.js': ['@auth/express'],
};

/** Milliseconds that a new process takes to import some packages. */
export async function importTime(packages) {
  const program = `
    const begun = performance.now();
    const before = process.cpuUsage();
    for (const name of ${JSON.stringify(['express', ...packages])}) await import(name);
    const { user, system } = process.cpuUsage(before);
    console.log(performance.now() - begun, (user + system) / 1000);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd: fileURLToPath(new URL('..', import.meta.url)) },
  );
  const [wall, cpu] = stdout.split(' ').map(Number);
  return { wall, cpu };
}

/** Bytes of some packages and of everything that they depend on, each counted once. */
export async function installedSize(packages) {
  const seen = new Set();
  let bytes = 0;
  const add = async (path) => {
    if (path === undefined || seen.has(path)) return;
    seen.add(path);
    bytes += await sizeOf(path);
    const { dependencies = {} } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) await add(await find(name, path));
  };
  for (const name of packages)
    await add(
      await find(
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
        folder,
      ),
    );
  return { bytes, packages: seen.size };
}

/** Where a package gets another from: the nearest `node_modules` above it. */
async function find(name, from) {
  for (let at = from; at.startsWith(folder); at = join(at, '..')) {
    const candidates = at === folder ? [join(at, name)] : [join(at, 'node_modules', name)];
    for (const candidate of candidates) {
      const isThere = await lstat(join(candidate, 'package.json')).catch(() => undefined);
      if (isThere) return candidate;
    }
  }
  return undefined;
}

async function sizeOf(path) {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const at = join(path, entry.name);
    bytes += entry.isDirectory() ? await sizeOf(at) : (await lstat(at)).size;
  }
  return bytes;
}
