// `node shares.js`: what a page and a proxied call cost without express-session, and by another proxy.
import { startChild, startRedis } from './child.js';
import { spread, table } from './figures.js';
import { costOfRequests, startSubject } from './subjects.js';

const rounds = 7;
const op = await startChild('op.js');
const api = await startChild('api.js');
const redis = await startRedis();
const around = { issuer: op.ready.issuer, apiUrl: api.ready.url, redisUrl: redis.url };
const paths = {
  '/no-session/page': 'page, no session',
  '/session/page': 'page, express-session',
  '/no-session/proxied': 'http-proxy-middleware, no session',
  '/session/proxied': 'http-proxy-middleware, express-session',
  '/session/http-proxy': 'http-proxy, express-session',
  '/no-session/piped': 'piped by node:http, no session',
  '/session/piped': 'piped by node:http, express-session',
};
const rows = [];
for (const storeKind of ['memory', 'redis']) {
  const subject = await startSubject('shares', storeKind, around);
  const costs = new Map(Object.keys(paths).map((path) => [path, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const path of costs.keys()) {
      const cost = await costOfRequests(subject, path, 800);
      if (round >= 0) costs.get(path).push(cost);
    }
  }
  for (const [path, own] of costs) rows.push([paths[path], storeKind, spread(own, 0)]);
  await subject.child.stop();
}
console.log(table(['Shares', 'sessions in', 'µs'], rows));
await Promise.all([op.stop(), api.stop(), redis.stop()]);
