// One application in a process of its own, whose processor time is the application's alone.
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * What an application is given.
 *
 * @typedef {object} Setting
 * @property {string} app name of a file in `apps`
 * @property {'memory' | 'redis'} storeKind
 * @property {string} redisUrl
 * @property {string} issuer
 * @property {string} apiUrl
 * @property {string} [baseUrl] where it is not that of the process itself
 * @property {string} [only] `minimal` leaves out what the login does not need
 */

/** @type {Setting} */
const setting = JSON.parse(process.env.BENCH_SETTING);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const server = createServer();
server.keepAliveTimeout = 60_000;
await new Promise((resolve) => server.listen(setting.port ?? 0, '127.0.0.1', resolve));
const url = `http://localhost:${server.address().port}`;
const { start } = await import(`./apps/${setting.app}.js`);
const { listener, ready } = await start({ ...setting, baseUrl: setting.baseUrl ?? url });
server.on('request', listener);

const methods = {
  usage: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: () => {
    collectGarbage();
    collectGarbage();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { used: heapUsed + external, rss };
  },
};

process.on('message', ({ id, method }) => process.send({ id, value: methods[method]() }));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
await ready?.();
process.send({ ready: { url } });
