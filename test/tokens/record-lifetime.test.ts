import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { followSessions, type RecordFollower } from '../../lib/tokens/record-lifetime.ts';
import { destroyEntry, type SessionStore, settle } from '../../lib/tokens/session-store.ts';
import { startClock } from '../support/clock.ts';
import { type Flow, startFlow } from '../support/flow.ts';

const mark = { id: 'login', user: 'user' };

/** A store that tells what reached it, and one flow that follows it. */
function follow(endRecord: RecordFollower['endRecord'] = async () => undefined) {
  const clock = startClock(1_000_000);
  const calls: unknown[][] = [];
  const store: SessionStore = {
    get: (_sid, done) => done(null),
    set(sid, _entry, done) {
      calls.push(['set', sid]);
      done?.();
    },
    destroy(sid, done) {
      calls.push(['destroy', sid]);
      done?.();
    },
    touch(sid, entry, done) {
      calls.push(['touch', sid, entry.cookie.expires]);
      done?.();
    },
  };
  followSessions(store, {
    sessionKey: 'oidc',
    now: clock.now,
    idleLifetimeSeconds: undefined,
    onProlonged: async () => undefined,
    endRecord,
    hasEnded: async () => false,
  });
  const cookie = { originalMaxAge: 600_000 };
  const touch = (sid: string, entry: object = { oidc: mark }): Promise<void> =>
    settle((done) => store.touch?.(sid, { cookie, ...entry }, done));
  const set = (sid: string, entry: object = { oidc: mark }): Promise<void> =>
    settle((done) => store.set(sid, { cookie, ...entry }, done));
  const prolonged = (): unknown[] =>
    calls.filter(([name, sid]) => name === 'touch' && sid === 'oidc:sid').map(([, , end]) => end);
  return { store, clock, calls, touch, set, prolonged };
}

describe('a record beside a session that is prolonged', () => {
  it('is prolonged with it, at most once a minute', async () => {
    const { clock, touch, prolonged } = follow();
    await touch('sid');
    clock.advance(59);
    await touch('sid');
    expect(prolonged()).toEqual([new Date(1_660_000)]);
    clock.advance(1);
    await touch('sid');
    expect(prolonged()).toEqual([new Date(1_660_000), new Date(1_720_000)]);
  });

  it('is prolonged by a save as well, and each session for itself', async () => {
    const { calls, set, touch, prolonged } = follow();
    await set('sid');
    await set('other');
    expect(prolonged()).toHaveLength(1);
    expect(calls).toContainEqual(['touch', 'oidc:other', expect.any(Date)]);
    await touch('sid');
    expect(prolonged()).toHaveLength(1);
  });

  it('is made longer or shorter with it at once, by a minute or more', async () => {
    const { set, touch, prolonged } = follow();
    const lasting = (originalMaxAge: number): object => ({
      oidc: mark,
      cookie: { originalMaxAge },
    });
    await touch('sid');
    for (const save of [set, touch]) {
      await save('sid', lasting(659_999));
      await save('sid', lasting(3_600_000));
      await save('sid', lasting(600_000));
    }
    const [short, long] = [new Date(1_660_000), new Date(4_660_000)];
    expect(prolonged()).toEqual([short, long, short, long, short]);
  });

  it('is not looked for where the session has no login, nor beside a record', async () => {
    const { calls, touch, set } = follow();
    await touch('sid', {});
    await set('sid', {});
    await touch('oidc:sid', { oidc: 'sealed' });
    expect(calls.map(([name, sid]) => [name, sid])).toEqual([
      ['touch', 'sid'],
      ['set', 'sid'],
      ['touch', 'oidc:sid'],
    ]);
  });
});

describe('a session that is destroyed', () => {
  it('goes after its login has ended', async () => {
    const order: string[] = [];
    const { store, calls } = follow(async (sid) => {
      order.push(`${sid} ended of ${calls.length}`);
      return async () => void order.push(`after ${calls.length}`);
    });
    await destroyEntry(store, 'sid');
    expect(order).toEqual(['sid ended of 0', 'after 1']);
    expect(calls).toEqual([['destroy', 'sid']]);
  });

  it('stays, with an error, where the end of its login cannot be written', async () => {
    const failure = new Error('the store is down');
    const { store, calls } = follow(() => Promise.reject(failure));
    await expect(destroyEntry(store, 'sid')).rejects.toMatchObject({ cause: failure });
    expect(calls).toEqual([]);
    expect(() => store.destroy('sid')).not.toThrow();
  });

  it('is no session where it is a record, which goes by itself', async () => {
    const { store, calls } = follow(() => Promise.reject(new Error('not to be called')));
    await destroyEntry(store, 'oidc:sid');
    expect(calls).toEqual([['destroy', 'oidc:sid']]);
  });
});

describe('a record in an application with rolling sessions', () => {
  let flow: Flow;
  afterEach(() => flow.close());

  /** In whole seconds: a cookie of express-session loses a millisecond when the machine's clock ticks meanwhile. */
  async function recordEnd(store: MemoryStore): Promise<number> {
    const all = await new Promise<Record<string, { cookie: { expires: string } }>>((resolve) => {
      store.all((_error, sessions) => resolve(sessions as never));
    });
    const key = Object.keys(all).find((name) => name.startsWith('oidc:')) ?? '';
    return Math.round(Date.parse(all[key]?.cookie.expires ?? '') / 1000);
  }

  it('moves its end on with the session, at most once a minute', async () => {
    const store = new MemoryStore();
    flow = await startFlow({
      store,
      clock: startClock(Math.floor(Date.now() / 1000) * 1000),
      session: { rolling: true, cookie: { sameSite: 'lax', secure: 'auto', maxAge: 600_000 } },
    });
    await flow.signIn();
    const first = await recordEnd(store);
    expect(first).toBe(flow.clock.now() / 1000 + 660);
    for (const [seconds, moved] of [
      [59, 0],
      [2, 61],
      [30, 61],
      [31, 122],
    ] as const) {
      flow.clock.advance(seconds);
      await flow.browser.fetch(`${flow.baseUrl}/api/x`);
      expect((await recordEnd(store)) - first).toBe(moved);
    }
  });
});
