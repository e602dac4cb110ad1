// `npm run bench`: prints tables. Options: --rounds=8 --only=page,login --quick, --processes=3 of each application.
import { execFileSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { createClient } from 'redis';
import { apacheVersion, hasApache } from './apache.js';
import { startChild, startRedis } from './child.js';
import { median, spread, table } from './figures.js';
import { Connection, get } from './load.js';
import { imports, importTime, installedSize } from './measures/footprint.js';
import { measureStampedes } from './measures/stampede.js';
import { costOfLogins, costOfRequests, startSubject } from './subjects.js';

const options = new Map(process.argv.slice(2).map((option) => option.slice(2).split('=')));
const isQuick = options.has('quick');
const rounds = Number(options.get('rounds') ?? (isQuick ? 2 : 7));
const processes = Number(options.get('processes') ?? 1);
const wanted = options.get('only')?.split(',') ?? [
  'page',
  'api',
  'login',
  'warm',
  'stampede',
  'bytes',
  'memory',
  'import',
  'size',
];

/** Names in the tables, and where the sessions of each can be. */
const applications = {
  bare: { name: 'bare: Express 5, express-session', stores: ['memory', 'redis'] },
  ours: { name: '**passport-oidc-hybrid**', stores: ['memory', 'redis'] },
  'ours-same-site': {
    name: '**passport-oidc-hybrid**, OP on the same site',
    stores: ['memory', 'redis'],
    isLoginOnly: true,
  },
  'ours-proxy': {
    name: '**passport-oidc-hybrid**, `oidc.proxy()`',
    stores: ['memory', 'redis'],
    isProxyOnly: true,
  },
  'express-openid-connect': { name: 'express-openid-connect, cookie', stores: ['memory'] },
  'express-openid-connect-store': {
    name: 'express-openid-connect, store',
    stores: ['memory', 'redis'],
  },
  'passport-openidconnect': {
    name: 'passport-openidconnect (`code`, no signature check)',
    stores: ['memory', 'redis'],
  },
  'openid-client': {
    name: "openid-client's strategy, session cookie `SameSite=None`",
    stores: ['memory', 'redis'],
  },
  'auth-js': { name: 'Auth.js (`code`), cookie', stores: ['memory'] },
  ...(hasApache()
    ? { apache: { name: 'Apache, mod_auth_openidc', stores: ['memory', 'redis'] } }
    : {}),
  'express-floor': {
    name: 'Express by hand, three requests, no check at all',
    stores: ['memory', 'redis'],
    isLoginOnly: true,
  },
  minimum: { name: 'minimum by hand', stores: ['memory', 'redis'], isLoginOnly: true },
};
const names = Object.keys(applications);
const withLogin = names.filter((app) => !applications[app].isProxyOnly && app !== 'bare');
const ordinary = names.filter(
  (app) => !applications[app].isProxyOnly && !applications[app].isLoginOnly,
);
const hasOwnStore = (app) => applications[app].stores.length === 1;
const storeName = (app, storeKind) => (hasOwnStore(app) ? 'cookie' : storeKind);

// The working tree, as it would be published.
const built = new URL('../dist', import.meta.url);
await cp(built, new URL('node_modules/passport-oidc-hybrid/dist', import.meta.url), {
  recursive: true,
});

const op = await startChild('op.js');
const api = await startChild('api.js');
const redis = await startRedis();
const around = { issuer: op.ready.issuer, apiUrl: api.ready.url, redisUrl: redis.url };

await printVersions();
const sections = {
  page,
  api: proxied,
  login,
  warm,
  stampede,
  bytes,
  memory,
  import: importing,
  size,
};
for (const name of wanted) await sections[name]();
await Promise.all([op.stop(), api.stop(), redis.stop()]);

async function printVersions() {
  const { dependencies } = JSON.parse(
    await readFile(new URL('package.json', import.meta.url), 'utf8'),
  );
  const versions = Object.entries(dependencies)
    .filter(([, version]) => !version.startsWith('file:'))
    .map(([name, version]) => `${name} ${version}`);
  if (hasApache()) versions.push(apacheVersion());
  else versions.push('no Apache with mod_auth_openidc found');
  const [redisVersion] = /v=\S+/.exec(
    execFileSync('redis-server', ['--version'], { encoding: 'utf8' }),
  );
  const [{ model }] = cpus();
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} x ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, Redis ${redisVersion.slice(2)}`,
  );
  console.log(`${versions.join(', ')}\n`);
}

/** Starts all applications that have something to do, with each of their stores. */
async function startAll(names) {
  const subjects = [];
  for (const storeKind of ['memory', 'redis']) {
    for (const app of names) {
      if (applications[app].stores.includes(storeKind))
        subjects.push(await startSubject(app, storeKind, around));
    }
  }
  return subjects;
}

/** Costs of all subjects, round by round. */
async function interleave(subjects, measure, { warmUp = 2 } = {}) {
  const costs = new Map(subjects.map((subject) => [subject, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const subject of subjects) {
      const cost = await measure(subject);
      if (round >= 0) costs.get(subject).push(cost);
    }
  }
  return costs;
}

/** One row for an application: each of its processes is some percent dearer or cheaper than the next, for life. */
function meanOfProcesses(costs) {
  const groups = new Map();
  for (const [{ app, storeKind }, own] of costs) {
    const name = `${app} ${storeKind}`;
    const group = groups.get(name) ?? { subject: { app, storeKind }, all: [] };
    group.all.push(own);
    groups.set(name, group);
  }
  const meanOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  return new Map(
    [...groups.values()].map(({ subject, all }) => [
      subject,
      all[0].map((_, round) => meanOf(all.map((own) => own[round]))),
    ]),
  );
}

function printCosts(title, costs, baseApp, isCostRatio) {
  const rows = [...costs].map(([subject, own]) => {
    const base = [...costs].find(
      ([{ app, storeKind }]) => app === baseApp && storeKind === subject.storeKind,
    )[1];
    const ratios = own.map((cost, round) =>
      isCostRatio ? cost / base[round] : base[round] / cost,
    );
    return [
      applications[subject.app].name,
      storeName(subject.app, subject.storeKind),
      spread(own, 0),
      spread(ratios),
    ];
  });
  console.log(table([title, 'sessions in', 'µs', 'ratio'], rows));
}

async function requests(title, path, count, apps) {
  const subjects = [];
  for (let index = 0; index < processes; index += 1) subjects.push(...(await startAll(apps)));
  const costs = await interleave(subjects, (subject) => costOfRequests(subject, path, count), {
    warmUp: 6,
  });
  printCosts(title, meanOfProcesses(costs), 'bare', false);
  await Promise.all(subjects.map(({ child }) => child.stop()));
}

function page() {
  return requests('Hot path: GET of a page', '/page', isQuick ? 300 : 1500, ordinary);
}

function proxied() {
  return requests(
    'Proxied: GET of the API',
    '/api/rows',
    isQuick ? 200 : 600,
    names.filter((app) => !applications[app].isLoginOnly),
  );
}

async function login() {
  const subjects = await startAll(withLogin);
  const costs = await interleave(subjects, (subject) => costOfLogins(subject, isQuick ? 20 : 60));
  printCosts(`Complete login, the first ${60 * (rounds + 2)} of a process`, costs, 'minimum', true);
  await Promise.all(subjects.map(({ child }) => child.stop()));
}

/** The same when the compiler is done with everything. */
async function warm() {
  const apps = [
    'ours',
    'ours-same-site',
    'express-openid-connect-store',
    'passport-openidconnect',
    'openid-client',
    'express-floor',
    'minimum',
  ];
  const subjects = await startAll(apps);
  for (const subject of subjects) await costOfLogins(subject, isQuick ? 50 : 1000, 24);
  const costs = await interleave(
    subjects,
    (subject) => costOfLogins(subject, isQuick ? 50 : 150, 24),
    { warmUp: 0 },
  );
  printCosts('Complete login, after 1,000', costs, 'minimum', true);
  await Promise.all(subjects.map(({ child }) => child.stop()));
}

async function stampede() {
  const rows = [];
  for (const app of ordinary) {
    if (app === 'bare') continue;
    const name = applications[app].name;
    if (app === 'passport-openidconnect') {
      rows.push([name, '1, 2', 'has no refresh', '-', '-', '-', '-']);
      continue;
    }
    for (const count of [1, 2]) {
      const storeKind = hasOwnStore(app) ? 'memory' : 'redis';
      const found = await measureStampedes(app, storeKind, count, { op, around });
      const each = (name) => found.map((one) => one[name]).join(', ');
      rows.push([
        name,
        count,
        each('refreshes'),
        each('reused'),
        each('failures'),
        `${found.map(({ beyondTokenCall }) => Math.round(beyondTokenCall)).join(', ')} ms`,
        found.every(({ isAliveAfter }) => isAliveAfter) ? 'yes' : 'no',
      ]);
    }
  }
  console.log(
    table(
      [
        'Three stampedes of 50',
        'processes',
        'refreshes',
        'spent tokens sent',
        'failed',
        'p99 beyond the token call',
        'works after the next expiry',
      ],
      rows,
    ),
  );
}

async function bytes() {
  const client = await createClient({ url: redis.url }).connect();
  const rows = [];
  for (const app of ordinary) {
    await client.flushAll();
    const storeKind = hasOwnStore(app) ? 'memory' : 'redis';
    // express-session's cookie is longer by two bytes for some characters of its signature.
    const subject = await startSubject(app, storeKind, around, { sessions: isQuick ? 8 : 100 });
    const cookie = subject.visitor.cookie(subject.url);
    const connection = await Connection.open(subject.url);
    const { head } = await connection.request(get(subject.url, '/page', cookie));
    connection.close();
    let stored = 0;
    let used = 0;
    for await (const keys of client.scanIterator()) {
      for (const key of keys) {
        // What is remembered of a login for two minutes is no part of its session.
        if ((await client.ttl(key)) < 600) continue;
        stored += await client.strLen(key);
        used += await client.memoryUsage(key);
      }
    }
    const count = subject.cookies.length;
    rows.push([
      applications[app].name,
      spread(
        subject.cookies.map((each) => Buffer.byteLength(each)),
        0,
      ),
      /\r\nset-cookie:/i.test(head) ? 'yes' : 'no',
      hasOwnStore(app) ? '-' : Math.round(stored / count),
      hasOwnStore(app) ? '-' : Math.round(used / count),
    ]);
    await subject.child.stop();
  }
  await client.flushAll();
  client.destroy();
  console.log(
    table(
      [
        'Bytes',
        'cookies after login',
        'Set-Cookie on the hot path',
        'values in Redis, a session',
        'memory of Redis, a session',
      ],
      rows,
    ),
  );
}

async function memory() {
  const sessions = isQuick ? 200 : 1000;
  const rows = [];
  for (const app of ordinary) {
    const { name, stores } = applications[app];
    if (app === 'apache') continue;
    for (const storeKind of stores) {
      const subject = await startSubject(app, storeKind, around);
      await costOfLogins(subject, 200);
      const before = await subject.child.ask('memory');
      await costOfLogins(subject, sessions, 16);
      const after = await subject.child.ask('memory');
      const kilobytes = (after.used - before.used) / 1024 / sessions;
      rows.push([
        name,
        storeName(app, storeKind),
        kilobytes.toFixed(2),
        ((kilobytes * 10_000) / 1024).toFixed(0),
      ]);
      await subject.child.stop();
    }
  }
  console.log(
    table(
      [
        `Memory of the process, from ${sessions} logins`,
        'sessions in',
        'KB a session',
        'MB for 10,000',
      ],
      rows,
    ),
  );
}

async function importing() {
  const times = new Map(Object.keys(imports).map((name) => [name, []]));
  for (let round = 0; round < (isQuick ? 2 : 15); round += 1) {
    for (const [name, packages] of Object.entries(imports))
      times.get(name).push(await importTime(packages));
  }
  const alone = times.get('express');
  const rows = [...times].map(([name, own]) => [
    name,
    spread(
      own.map(({ wall }) => wall),
      0,
    ),
    spread(
      own.map(({ cpu }) => cpu),
      0,
    ),
    median(own.map(({ cpu }, round) => cpu - alone[round].cpu)).toFixed(0),
  ]);
  console.log(
    table(['Import, with express', 'ms', 'ms of processor time', 'more than express alone'], rows),
  );
}

async function size() {
  const express = await installedSize(['express']);
  const rows = [];
  for (const [name, packages] of Object.entries(imports)) {
    const all = await installedSize(['express', ...packages]);
    rows.push([
      name,
      ((all.bytes - express.bytes) / 1024).toFixed(0),
      all.packages - express.packages,
    ]);
  }
  console.log(table(['Installed beside express', 'KB', 'packages'], rows));
}
