// Runs the tests of the packed package by the oldest Node of each line that it is for, and by the newest.
// The binaries come from npm, into a folder that is removed again; `npm run test:nodes -- 22.12.0` takes one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const asked = process.argv.slice(2);
const versions = asked.length > 0 ? asked : ['20.19.0', '20', '22.12.0', '22', '24.0.0', '24'];
const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
try {
  const binaries = versions.map((version) => {
    const place = join(folder, version);
    const install = ['install', '--prefix', place, '--no-audit', '--no-fund', '--no-save'];
    execFileSync('npm', [...install, `${platform}@${version}`], { stdio: 'ignore' });
    return join(place, 'node_modules', platform, 'bin', 'node');
  });
  writeFileSync(1, `${binaries.map((binary) => execFileSync(binary, ['-v'])).join('')}`);
  execFileSync('npm', ['test', '--', 'test/package/consumers'], {
    stdio: 'inherit',
    env: { ...process.env, NODE_BINARIES: binaries.join(',') },
  });
} catch (error) {
  process.exitCode = error.status ?? 1;
  if (error.status === undefined) throw error;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
