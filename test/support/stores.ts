import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import connectPgSimple from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import session, { MemoryStore, type Store } from 'express-session';
import { Redis } from 'ioredis';
import { inProcessLock, type Lock, redisLock } from 'passport-oidc-hybrid';
import pg from 'pg';
import { eventually } from './eventually.ts';
import { type Flow, type FlowSetup, startFlow } from './flow.ts';
import { describeWithParts, type Part } from './parts.ts';
import { startPostgres } from './postgres.ts';
import { startRedisStore } from './redis-store.ts';

/** A session store that runs, and what is in it as an administrator sees it. */
export interface StartedStore {
  /** The lock that goes with it. */
  readonly lock: Lock;
  /** A store object, as each process of an application has one. */
  open(): Store;
  /** Ids of sessions, and keys of records; not what is remembered of logins for a minute. */
  keys(): Promise<string[]>;
  /** What is stored, as text. */
  raw(key: string): Promise<string>;
  /** When the store lets an entry go, in epoch seconds; `Infinity` for never. */
  endOf(key: string): Promise<number>;
  /** Makes an entry end at another time. */
  moveEnd(key: string, epochSeconds: number): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

interface StoreKind {
  readonly name: string;
  readonly parts: readonly Part[];
  start(): Promise<StartedStore>;
}

const kinds: readonly StoreKind[] = [
  { name: 'MemoryStore', parts: [], start: startMemory },
  {
    name: 'connect-redis',
    parts: ['redis-server'],
    start: () => startRedis('node-redis'),
  },
  {
    name: 'connect-redis, with the lock by ioredis',
    parts: ['redis-server'],
    start: () => startRedis('ioredis'),
  },
  { name: 'connect-pg-simple', parts: ['postgres'], start: startPg },
];

/** What a test of each store is given. */
export interface StoreTests {
  /** The store, empty when a test begins. */
  store(): StartedStore;
  /** A process of an application that uses it. */
  start(setup?: FlowSetup): Promise<Flow>;
}

/** What became of a login is remembered for a minute, where processes may share the store. */
function isLasting(key: string): boolean {
  return !key.startsWith('oidc:login:');
}

/** The same tests for each store. */
export function describeStores(title: string, body: (tests: StoreTests) => void): void {
  jest.setTimeout(30_000);
  for (const kind of kinds) {
    describeWithParts(kind.parts, `${title}: ${kind.name}`, () => {
      let started: StartedStore | undefined;
      const flows: Flow[] = [];
      const store = (): StartedStore => {
        if (started === undefined) throw new Error(`${kind.name} has not started`);
        return started;
      };
      beforeAll(async () => {
        started = await kind.start();
      }, 60_000);
      beforeEach(() => store().clear());
      afterEach(async () => {
        // The first one has the OP, which the others are sent to.
        for (const flow of flows.splice(0).reverse()) await flow.close();
      });
      afterAll(() => started?.close());
      body({
        store,
        async start(setup = {}) {
          const { lock, open } = store();
          const flow = await startFlow({ store: open(), ...setup, oidc: { lock, ...setup.oidc } });
          flows.push(flow);
          return flow;
        },
      });
    });
  }
}

/** The session's id, and the key of the record beside it: all there is after one login. */
export async function onlyLogin(store: StartedStore): Promise<[session: string, record: string]> {
  const [session = '', record = '', ...others] = (await store.keys()).toSorted(
    (one, other) => one.length - other.length,
  );
  if (record !== `oidc:${session}` || others.length > 0) {
    throw new Error(`there is more or less than one login: ${await store.keys()}`);
  }
  return [session, record];
}

async function startMemory(): Promise<StartedStore> {
  let store = new MemoryStore();
  const sessions = (): Record<string, string> =>
    (store as unknown as { sessions: Record<string, string> }).sessions;
  const raw = (key: string): string => {
    const found = sessions()[key];
    if (found === undefined) throw new Error(`there is no ${key}`);
    return found;
  };
  return {
    lock: inProcessLock(),
    open: () => store,
    keys: async () => Object.keys(sessions()).filter(isLasting),
    raw: async (key) => raw(key),
    async endOf(key) {
      const { expires } = JSON.parse(raw(key)).cookie;
      return expires === null ? Number.POSITIVE_INFINITY : Date.parse(expires) / 1000;
    },
    async moveEnd(key, epochSeconds) {
      const entry = JSON.parse(raw(key));
      entry.cookie.expires = new Date(epochSeconds * 1000);
      sessions()[key] = JSON.stringify(entry);
    },
    async clear() {
      // A flow follows the sessions of its store as long as there are both, so a test needs another.
      store = new MemoryStore();
    },
    close: async () => undefined,
  };
}

async function startRedis(lockBy: 'node-redis' | 'ioredis'): Promise<StartedStore> {
  const { url, client, close } = await startRedisStore();
  const lockClient = lockBy === 'ioredis' ? new Redis(url) : client;
  const prefix = 'sess:';
  return {
    lock: redisLock(lockClient),
    // Of the two clients it takes this one only.
    open: () => new RedisStore({ client, prefix }),
    async keys() {
      const keys = await client.keys(`${prefix}*`);
      return keys.map((key) => key.slice(prefix.length)).filter(isLasting);
    },
    async raw(key) {
      const found = await client.get(prefix + key);
      if (found === null) throw new Error(`there is no ${key}`);
      return found;
    },
    async endOf(key) {
      const end = await client.pExpireTime(prefix + key);
      if (end === -2) throw new Error(`there is no ${key}`);
      return end === -1 ? Number.POSITIVE_INFINITY : end / 1000;
    },
    async moveEnd(key, epochSeconds) {
      await client.pExpireAt(prefix + key, Math.round(epochSeconds * 1000));
    },
    async clear() {
      await client.flushAll();
    },
    async close() {
      if (lockClient instanceof Redis) lockClient.disconnect();
      await close();
    },
  };
}

async function startPg(): Promise<StartedStore> {
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url });
  const PgStore = connectPgSimple(session);
  const open = (): Store =>
    new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false });
  /** Of an entry's row. */
  const column = async (key: string, expression: string): Promise<unknown> => {
    const { rows } = await pool.query(`select ${expression} as value from session where sid = $1`, [
      key,
    ]);
    if (rows.length === 0) throw new Error(`there is no ${key}`);
    return rows[0].value;
  };
  // Makes the table.
  await new Promise<void>((resolve, reject) =>
    open().get('none', (error) => (error ? reject(error) : resolve())),
  );
  return {
    lock: inProcessLock(),
    open,
    async keys() {
      const { rows } = await pool.query('select sid from session');
      return rows.map(({ sid }) => sid).filter(isLasting);
    },
    raw: async (key) => String(await column(key, 'sess::text')),
    async endOf(key) {
      // The library prolongs records by the way, on whatever connection is free.
      await eventually(() => pool.idleCount === pool.totalCount && pool.waitingCount === 0);
      return Number(await column(key, 'extract(epoch from expire::timestamptz)'));
    },
    async moveEnd(key, epochSeconds) {
      await pool.query('update session set expire = to_timestamp($2) where sid = $1', [
        key,
        epochSeconds,
      ]);
    },
    async clear() {
      await pool.query('delete from session');
    },
    async close() {
      await pool.end();
      await postgres.stop();
    },
  };
}
