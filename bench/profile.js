// Development: where the time of one application goes. `node profile.js --app=ours --store=memory --kind=login`
import { cp, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, startRedis } from './child.js';
import { costOfLogins, costOfRequests, startSubject } from './subjects.js';

const args = new Map(process.argv.slice(2).map((arg) => arg.replace(/^--/, '').split('=')));
await cp(
  new URL('../dist', import.meta.url),
  new URL('node_modules/passport-oidc-hybrid/dist', import.meta.url),
  { recursive: true },
);
const kind = args.get('kind') ?? 'login';
const op = await startChild('op.js');
const api = await startChild('api.js');
const redis = await startRedis();
const around = { issuer: op.ready.issuer, apiUrl: api.ready.url, redisUrl: redis.url };
const folder = await mkdtemp(join(tmpdir(), 'bench-prof-'));
const subject = await startSubject(
  args.get('app') ?? 'ours',
  args.get('store') ?? 'memory',
  around,
  { execArgv: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'] },
);
const count = Number(args.get('count') ?? (kind === 'login' ? 1500 : 20000));
const cost =
  kind === 'login'
    ? await costOfLogins(subject, count)
    : await costOfRequests(subject, kind === 'page' ? '/page' : '/api/rows', count);
console.log(`${cost.toFixed(0)} us`);
await subject.child.stop();
await Promise.all([op.stop(), api.stop(), redis.stop()]);
const [file] = await readdir(folder);
const profile = JSON.parse(await readFile(join(folder, file)));
const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const parents = new Map();
for (const node of profile.nodes)
  for (const child of node.children ?? []) parents.set(child, node.id);
const self = new Map();
for (const [i, id] of profile.samples.entries())
  self.set(id, (self.get(id) ?? 0) + profile.timeDeltas[i]);
let busy = 0;
const bySelf = new Map();
const byTotal = new Map();
const byPackage = new Map();
const nameOf = ({ functionName, url, lineNumber }) => {
  const where = url.replace(/.*node_modules\//, '').replace(/^.*\/bench\/bench\//, 'bench/');
  return `${functionName || '(anonymous)'} ${where}:${lineNumber + 1}`;
};
const packageOf = ({ functionName, url }) => {
  if (url === '') return functionName;
  if (url.startsWith('node:')) return url.replace(/^(node:internal\/[^/]+).*/, '$1');
  return /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1] ?? 'bench';
};
for (const [id, time] of self) {
  const node = nodes.get(id);
  const name = node.callFrame.functionName;
  if (name === '(idle)') continue;
  busy += time;
  const key = nameOf(node.callFrame);
  bySelf.set(key, (bySelf.get(key) ?? 0) + time);
  const pack = packageOf(node.callFrame);
  byPackage.set(pack, (byPackage.get(pack) ?? 0) + time);
  const seen = new Set();
  for (let at = id; at !== undefined; at = parents.get(at)) {
    const total = nameOf(nodes.get(at).callFrame);
    if (seen.has(total)) continue;
    seen.add(total);
    byTotal.set(total, (byTotal.get(total) ?? 0) + time);
  }
}
const print = (title, map, n) => {
  console.log(`\n${title}`);
  for (const [name, time] of [...map].sort((a, b) => b[1] - a[1]).slice(0, n))
    console.log(
      `${((time / busy) * 100).toFixed(1).padStart(5)} % ${(time / count).toFixed(1).padStart(7)} us  ${name}`,
    );
};
print('by package', byPackage, 25);
print('self', bySelf, 45);
print('self, ours', new Map([...bySelf].filter(([name]) => name.includes('oidc-hybrid'))), 40);
print('total', byTotal, Number(args.get('totals') ?? 110));
