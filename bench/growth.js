// `npm run bench:growth`: whether cost grows with sessions, cookies, tabs and time. Options: --minutes=2 --load=0.4.
import { cp } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import { startChild, startRedis } from './child.js';
import { median, quantile, spread, table } from './figures.js';
import { Connection, get } from './load.js';
import { costOfLogins, costOfRequests, signIn, startSubject } from './subjects.js';
import { Visitor } from './visitor.js';

const options = new Map(process.argv.slice(2).map((option) => option.slice(2).split('=')));
const rounds = Number(options.get('rounds') ?? 7);
const minutes = Number(options.get('minutes') ?? 2);
const load = Number(options.get('load') ?? 0.4);
const wanted = options.get('only')?.split(',') ?? [
  'sessions',
  'cookies',
  'tabs',
  'refresh',
  'time',
];

const built = new URL('../dist', import.meta.url);
const place = new URL('node_modules/passport-oidc-hybrid/dist', import.meta.url);
await cp(built, place, { recursive: true });

const op = await startChild('op.js');
const api = await startChild('api.js');
const redis = await startRedis();
const around = { issuer: op.ready.issuer, apiUrl: api.ready.url, redisUrl: redis.url };
const sections = { sessions, cookies, tabs, refresh, time };
for (const name of wanted) await sections[name]();
await Promise.all([op.stop(), api.stop(), redis.stop()]);

/** More sessions in Redis than requests are made with, and more of these than a process remembers. */
async function sessions() {
  const client = await createClient({ url: redis.url }).connect();
  const [bare, ours] = [
    await startSubject('bare', 'redis', around),
    await startSubject('ours', 'redis', around),
  ];
  const few = [bare.cookies.slice(0, 1), ours.cookies.slice(0, 1)];
  const many = [await cookiesOf(bare, 1500), await cookiesOf(ours, 1500)];
  const rows = [];
  const ofRedis = [];
  let filled = 0;
  for (const [count, cookies] of [
    [1, few],
    [10_000, many],
    [1_000_000, many],
  ]) {
    filled = await fill(client, filled, count);
    [bare.cookies, ours.cookies] = cookies;
    const costs = [];
    const ratios = [];
    for (let round = -1; round < rounds; round += 1) {
      const base = await costOfRequests(bare, '/page', 1500);
      const before = await usageOfRedis(client);
      const cost = await costOfRequests(ours, '/page', 1500);
      if (round < 0) continue;
      ofRedis.push(((await usageOfRedis(client)) - before) / 1500);
      costs.push(cost);
      ratios.push(base / cost);
    }
    const info = await client.info('memory');
    const used = Number(/used_memory:(\d+)/.exec(info)[1]) / 2 ** 20;
    const row = [count.toLocaleString('en'), ours.cookies.length, spread(costs, 0), spread(ratios)];
    rows.push([...row, `${used.toFixed(0)} MB`]);
  }
  const head = ['Sessions in Redis', 'requests take turns with', 'µs', 'ratio to bare', 'Redis'];
  console.log(table(head, rows));
  console.log(`Redis itself takes ${spread(ofRedis, 0)} µs for a request.\n`);
  await Promise.all([bare.child.stop(), ours.child.stop()]);
  await client.flushAll();
  client.destroy();
}

/** Cookies of so many visitors that sign in. */
async function cookiesOf(subject, count) {
  const cookies = [];
  while (cookies.length < count) {
    const visitors = await Promise.all(Array.from({ length: 10 }, () => signIn(subject)));
    cookies.push(...visitors.map((visitor) => visitor.cookie(subject.url)));
  }
  return cookies;
}

/** Microseconds of processor time. */
async function usageOfRedis(client) {
  const info = await client.info('cpu');
  const seconds = ['user', 'sys'].map((kind) =>
    Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)[1]),
  );
  return (seconds[0] + seconds[1]) * 1_000_000;
}

/** Requests that find their access token too old, each in a session of its own. */
async function refresh() {
  const rows = [];
  for (const storeKind of ['memory', 'redis']) {
    const ours = await startSubject('ours', storeKind, around);
    await op.ask('set', { expiresIn: 2 });
    ours.cookies = [];
    for (let index = 0; index < 200; index += 1) {
      ours.cookies.push((await signIn(ours)).cookie(ours.url));
    }
    const costs = [];
    for (let round = -1; round < rounds; round += 1) {
      await delay(2100);
      await op.ask('reset');
      const cost = await costOfRequests(ours, '/page', 200);
      const { refreshes } = await op.ask('counts');
      if (refreshes !== 200) throw new Error(`${refreshes} refreshes`);
      if (round >= 0) costs.push(cost);
    }
    rows.push([storeKind, spread(costs, 0)]);
    await op.ask('set', { expiresIn: 3600 });
    await ours.child.stop();
  }
  console.log(table(['Request that refreshes, sessions in', 'µs'], rows));
}

/** Makes sessions of others: two keys each, as long as real ones. */
async function fill(client, from, to) {
  const script =
    "for i = ARGV[1], ARGV[2] do redis.call('set', 'other:' .. i, ARGV[3]) redis.call('set', 'other:oidc:' .. i, ARGV[4]) end";
  for (let at = from; at < to; at += 20_000) {
    const last = Math.min(at + 20_000, to);
    await client.eval(script, {
      arguments: [String(at + 1), String(last), 'x'.repeat(230), 'x'.repeat(840)],
    });
  }
  return Math.max(from, to);
}

/** Cookies of other applications on the host. */
async function cookies() {
  const [bare, ours] = [
    await startSubject('bare', 'memory', around),
    await startSubject('ours', 'memory', around),
  ];
  const rows = [];
  for (const count of [1, 10, 50, 200]) {
    const others = Array.from(
      { length: count - 1 },
      (_, index) => `other${index}=${'v'.repeat(30)}`,
    );
    const withOthers = (subject) => ({
      ...subject,
      cookies: subject.cookies.map((cookie) => [...others, cookie].join('; ')),
    });
    const costs = [];
    const ratios = [];
    for (let round = -1; round < rounds; round += 1) {
      const base = await costOfRequests(withOthers(bare), '/page', 1500);
      const cost = await costOfRequests(withOthers(ours), '/page', 1500);
      if (round < 0) continue;
      costs.push(cost);
      ratios.push(base / cost);
    }
    rows.push([count, spread(costs, 0), spread(ratios)]);
  }
  console.log(table(['Cookies in the request', 'µs', 'ratio to bare'], rows));
  await Promise.all([bare.child.stop(), ours.child.stop()]);
}

/** Logins that are begun in one browser, and not finished. */
async function tabs() {
  const ours = await startSubject('ours', 'memory', around);
  await costOfLogins(ours, 300);
  const costs = new Map([1, 10, 100, 200].map((count) => [count, []]));
  let bytes = 0;
  for (let round = 0; round < rounds * 3; round += 1) {
    const visitor = new Visitor();
    for (let tab = 1; tab <= 200; tab += 10) {
      const before = await ours.child.ask('usage');
      for (let time = 0; time < 10; time += 1) {
        await visitor.send({ method: 'GET', url: `${ours.url}/login` });
      }
      const cost = ((await ours.child.ask('usage')) - before) / 10;
      const upTo = tab + 9;
      if (upTo === 10) costs.get(10).push(cost);
      if (upTo === 100) costs.get(100).push(cost);
      if (upTo === 200) costs.get(200).push(cost);
    }
    bytes = Buffer.byteLength(visitor.cookie(ours.url));
  }
  costs.delete(1);
  const rows = [...costs].map(([count, own]) => [`${count - 9} to ${count}`, spread(own, 0)]);
  console.log(table(['Logins begun in one browser', 'µs for one more'], rows));
  console.log(`Cookies of that browser in the end: ${bytes} bytes.\n`);
  await ours.child.stop();
}

/** A steady load, with refreshes, logouts and new logins running. */
async function time() {
  const ours = await startSubject('ours', 'redis', around);
  const cost = await costOfRequests(ours, '/page', 4000);
  const perSecond = Math.floor((load * 1_000_000) / cost);
  await op.ask('set', { expiresIn: 20, refreshMilliseconds: 20 });
  const visitors = await Promise.all(Array.from({ length: 200 }, () => signIn(ours)));
  await op.ask('reset');
  const counts = { requests: 0, logouts: 0, errors: 0 };
  let latencies = [];
  const connections = await Promise.all(
    Array.from({ length: 32 }, () => Connection.open(ours.url)),
  );
  const end = performance.now() + minutes * 60_000;
  const begun = performance.now();
  let sent = 0;
  const work = async (connection) => {
    for (;;) {
      const now = performance.now();
      if (now > end) return;
      const due = begun + (sent * 1000) / perSecond;
      if (due > now) {
        await delay(Math.max(1, due - now));
        continue;
      }
      sent += 1;
      const visitor = visitors[sent % visitors.length];
      const { logins } = visitor;
      const from = performance.now();
      const answer = await connection.request(get(ours.url, '/page', visitor.cookie(ours.url)));
      latencies.push(performance.now() - from);
      counts.requests += 1;
      // 401: the visitor is just signing out and in again, or has done so while this request waited.
      const isSame = logins === visitor.logins && !visitor.isLeaving;
      if (answer.status !== 200 && isSame) counts.errors += 1;
    }
  };
  const comeAndGo = async () => {
    while (performance.now() < end) {
      const visitor = visitors[Math.floor(Math.random() * visitors.length)];
      if (visitor.isLeaving) continue;
      visitor.isLeaving = true;
      await visitor.send({
        method: 'GET',
        url: `${ours.url}/logout`,
        headers: { 'sec-fetch-site': 'same-origin' },
      });
      counts.logouts += 1;
      await visitor.signIn(`${ours.url}/login`);
      visitor.logins = (visitor.logins ?? 0) + 1;
      visitor.isLeaving = false;
    }
  };
  const rows = [];
  const watch = async () => {
    const part = (minutes * 60_000) / 6;
    for (let index = 1; index <= 6; index += 1) {
      await delay(part);
      const own = latencies;
      latencies = [];
      const { used, rss } = await ours.child.ask('memory');
      const { refreshes, reused } = await op.ask('counts');
      rows.push([
        `${Math.round((index * part) / 1000)} s`,
        own.length,
        refreshes,
        counts.logouts,
        counts.errors,
        reused,
        median(own).toFixed(1),
        quantile(own, 0.99).toFixed(1),
        (used / 2 ** 20).toFixed(1),
        (rss / 2 ** 20).toFixed(0),
      ]);
    }
  };
  await Promise.all([...connections.map(work), comeAndGo(), comeAndGo(), watch()]);
  for (const connection of connections) connection.close();
  console.log(
    `${perSecond} requests a second, ${Math.round(load * 100)} % of one core at ${cost.toFixed(0)} µs each; tokens live 20 seconds.\n`,
  );
  const head = [
    'after',
    'requests',
    'refreshes',
    'logouts and logins',
    'errors',
    'spent tokens sent',
    'median ms',
    'p99 ms',
  ];
  console.log(table([...head, 'heap MB', 'RSS MB'], rows));
  await ours.child.stop();
}
