import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { followSessions } from '../../lib/tokens/record-lifetime.ts';
import { destroyEntry, type SessionStore, writeEntry } from '../../lib/tokens/session-store.ts';
import { createGate } from '../support/gate.ts';

const marked = { cookie: { originalMaxAge: null, expires: null }, oidc: { id: 'login' } };

/** A session in memory whose login ends at a gate, and a record that is there or not. */
async function start() {
  const store = new MemoryStore() as MemoryStore & SessionStore & { sessions: object };
  const gate = createGate();
  const state = { hasRecord: true };
  const asked: (() => void)[] = [];
  followSessions(store, {
    sessionKey: 'oidc',
    now: Date.now,
    idleLifetimeSeconds: undefined,
    onProlonged: async () => undefined,
    async endRecord() {
      state.hasRecord = false;
      await gate.wait();
      return undefined;
    },
    async hasEnded() {
      const hasEnded = !state.hasRecord;
      asked.shift()?.();
      return hasEnded;
    },
  });
  await writeEntry(store, 'sid', marked);
  return { store, gate, state, asked };
}

describe('a session that is saved late', () => {
  it('while it is being destroyed is not made anew', async () => {
    const { store, gate } = await start();
    const destroyed = destroyEntry(store, 'sid');
    await gate.reached;
    const saved = writeEntry(store, 'sid', marked);
    gate.open();
    await Promise.all([destroyed, saved]);
    expect(Object.keys(store.sessions)).toEqual([]);
  });

  it('is destroyed when its login ends between the look and the save', async () => {
    const { store, gate, state, asked } = await start();
    gate.open();
    asked.push(() => {
      state.hasRecord = false;
      store.sessions = {};
    });
    await writeEntry(store, 'sid', marked);
    expect(Object.keys(store.sessions)).toEqual([]);
  });

  it('is not brought back where its record had ended, and it is destroyed before the save', async () => {
    const { store, gate, state } = await start();
    gate.open();
    state.hasRecord = false;
    const look = createGate();
    const get = store.get.bind(store);
    store.get = (sid, done) => {
      store.get = get;
      get(sid, (error, entry) => void look.wait().then(() => done(error, entry as never)));
    };
    const saved = writeEntry(store, 'sid', marked);
    await look.reached;
    await destroyEntry(store, 'sid');
    look.open();
    await saved;
    expect(Object.keys(store.sessions)).toEqual([]);
  });

  it('goes on where it could not be destroyed', async () => {
    const store = startFailing(new Error('down'));
    await expect(destroyEntry(store, 'sid')).rejects.toMatchObject({
      code: 'ERR_OIDC_SESSION_STORE',
    });
    await writeEntry(store, 'sid', marked);
    expect(Object.keys(store.sessions)).toEqual(['sid']);
  });
});

/** A session in memory that cannot be destroyed. */
function startFailing(error: Error): SessionStore & { sessions: object } {
  const store = new MemoryStore() as MemoryStore & SessionStore & { sessions: object };
  store.destroy = (_sid: string, done?: (failure?: unknown) => void) => done?.(error);
  followSessions(store, {
    sessionKey: 'oidc',
    now: Date.now,
    idleLifetimeSeconds: undefined,
    onProlonged: async () => undefined,
    endRecord: async () => undefined,
    hasEnded: async () => false,
  });
  return store;
}
