import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../figures.js';
import { Connection, get, sendAll } from '../load.js';
import { signIn, startSubject } from '../subjects.js';

/** Seconds that an access token lives here. */
const lifeSeconds = 4;

/** What the OP takes for a refresh. */
const refreshMilliseconds = 100;

const requestCount = 50;

/** Requests to each process before, as a server that has been up for a while has had. */
const warmUpCount = 200;

/** Stampedes of one measurement, each of a new session. */
const stampedeCount = 3;

/**
 * 50 requests of one session at once, after its access token has expired, at processes that have served
 * requests and refreshed before; then one more after the next expiry, with the newest cookies.
 *
 * @returns one object for each stampede
 */
export async function measureStampedes(app, storeKind, processCount, { op, around }) {
  await op.ask('set', { expiresIn: lifeSeconds, refreshMilliseconds });
  const first = await startSubject(app, storeKind, around, { sessions: 1 });
  const others = [];
  while (others.length < processCount - 1) {
    const setting = { ...around, baseUrl: first.url };
    others.push(await startSubject(app, storeKind, setting, { sessions: 0 }));
  }
  const urls = [first, ...others].map(({ url }) => url);
  try {
    const visitor = await signIn(first);
    const cookies = visitor.cookieMap(first.url);
    for (const url of urls) {
      const page = get(first.url, '/page', header(cookies));
      await sendAll(url, [page], warmUpCount, { check: () => undefined });
      await expire();
      await request(url, first.url, cookies);
    }
    const found = [];
    while (found.length < stampedeCount) found.push(await stampede(first, urls, op));
    return found;
  } finally {
    await Promise.all([first, ...others].map(({ child }) => child.stop()));
    await op.ask('set', { expiresIn: 3600, refreshMilliseconds: 0 });
  }
}

async function stampede(first, urls, op) {
  const visitor = await signIn(first);
  const cookies = visitor.cookieMap(first.url);
  await expire();
  await op.ask('reset');
  const answers = await requestAtOnce(urls, first.url, cookies);
  const { refreshes, reused } = await op.ask('counts');
  for (const { head } of answers) takeCookies(head, cookies);
  await expire();
  const last = await request(urls[0], first.url, cookies);
  const times = answers.map(({ milliseconds }) => milliseconds);
  return {
    refreshes,
    reused,
    failures: answers.filter(({ status }) => status !== 200).length,
    beyondTokenCall: quantile(times, 0.99) - refreshMilliseconds,
    isAliveAfter: last.status === 200,
  };
}

const expire = () => delay(lifeSeconds * 1000 + 300);

async function requestAtOnce(urls, host, cookies) {
  const connections = await Promise.all(
    Array.from({ length: requestCount }, (_, index) => Connection.open(urls[index % urls.length])),
  );
  const text = get(host, '/page', header(cookies));
  const answers = await Promise.all(
    connections.map(async (connection) => {
      const begun = performance.now();
      const answer = await connection.request(text);
      return { ...answer, milliseconds: performance.now() - begun };
    }),
  );
  for (const connection of connections) connection.close();
  return answers;
}

async function request(url, host, cookies) {
  const connection = await Connection.open(url);
  const answer = await connection.request(get(host, '/page', header(cookies)));
  connection.close();
  takeCookies(answer.head, cookies);
  return answer;
}

function header(cookies) {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

function takeCookies(head, cookies) {
  for (const [, name, value] of head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)/gi)) {
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
}
