import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { inProcessLock } from '../../lib/tokens/lock.ts';
import { createSessionIndex, type SessionIndex } from '../../lib/tokens/session-index.ts';
import { readEntry, type SessionStore, writeEntry } from '../../lib/tokens/session-store.ts';
import { createTokenRecord, indexedLoginMark } from '../../lib/tokens/token-record.ts';
import { startClock } from '../support/clock.ts';
import { tokensOf } from '../support/tokens.ts';

const clock = startClock(Math.floor(Date.now() / 1000) * 1000);
const issuer = 'https://op.example';
const hour = 3_600_000;

function start(clientId = 'client', store = new MemoryStore() as unknown as SessionStore) {
  const options = {
    sessionKey: 'oidc',
    issuer,
    clientId,
    tenant: undefined,
    transactionTtlSeconds: 600,
    now: clock.now,
  };
  const index = createSessionIndex(options, inProcessLock());
  return { store, index };
}

const claims = tokensOf().claims;
const markOf = (sessionId: string, sid?: string) =>
  indexedLoginMark(
    createTokenRecord(tokensOf({ claims: { ...claims, ...(sid === undefined ? {} : { sid }) } })),
    sessionId,
  );

/** A session with its record, as a login leaves it. */
async function add(
  { store, index }: { store: SessionStore; index: SessionIndex },
  sessionId: string,
  { sid, maxAge = hour }: { sid?: string; maxAge?: number | null } = {},
): Promise<void> {
  const cookie = { originalMaxAge: maxAge };
  await writeEntry(store, sessionId, { cookie });
  await writeEntry(store, `oidc:${sessionId}`, { cookie });
  await index.add({ store, sessionId }, markOf(sessionId, sid), 1000, cookie);
}

const idsOf = async (
  index: SessionIndex,
  store: SessionStore,
  whose: { sub: string } | { sid: string },
) => (await index.list(store, whose)).map(({ sessionId }) => sessionId).sort();

/** Sessions whose digests begin alike share an entry of their subject. */
function inOneBucket(count: number): string[] {
  const ids: string[] = [];
  for (let number = 0; ids.length < count; number += 1) {
    if (markOf(`s${number}`).session.startsWith('A')) ids.push(`s${number}`);
  }
  return ids;
}

describe('the index of sessions', () => {
  it('finds them by subject and by sid, and tells which had a sid', async () => {
    const { store, index } = start();
    await add({ store, index }, 'a', { sid: 'one' });
    await add({ store, index }, 'b', { sid: 'two' });
    await add({ store, index }, 'c');
    expect(await idsOf(index, store, { sub: 'ada' })).toEqual(['a', 'b', 'c']);
    expect(await idsOf(index, store, { sid: 'one' })).toEqual(['a']);
    expect(await idsOf(index, store, { sub: 'eve' })).toEqual([]);
    const listed = await index.list(store, { sub: 'ada' });
    expect(new Map(listed.map(({ sessionId, hasSid }) => [sessionId, hasSid]))).toEqual(
      new Map([
        ['a', true],
        ['b', true],
        ['c', false],
      ]),
    );
  });

  it('is apart for each client on one store', async () => {
    const { store, index } = start();
    const other = start('other', store);
    await add({ store, index }, 'a', { sid: 'one' });
    expect(await idsOf(other.index, store, { sub: 'ada' })).toEqual([]);
    expect(await idsOf(other.index, store, { sid: 'one' })).toEqual([]);
  });

  it('lists a session once, however often it is added, and not when it is removed', async () => {
    const { store, index } = start();
    for (let round = 0; round < 3; round += 1) await add({ store, index }, 'a', { sid: 'one' });
    expect(await idsOf(index, store, { sid: 'one' })).toEqual(['a']);
    await index.remove({ store, sessionId: 'a' }, markOf('a', 'one'));
    expect(await idsOf(index, store, { sid: 'one' })).toEqual([]);
    expect(await idsOf(index, store, { sub: 'ada' })).toEqual([]);
  });

  it('loses none of those that are added at the same moment', async () => {
    const { store, index } = start();
    const ids = inOneBucket(20);
    await Promise.all(ids.map((id) => add({ store, index }, id, { sid: 'one' })));
    expect(await idsOf(index, store, { sub: 'ada' })).toEqual([...ids].sort());
    expect(await idsOf(index, store, { sid: 'one' })).toEqual([...ids].sort());
  });

  it('clears itself of sessions that are over, and of no other', async () => {
    const { store, index } = start();
    const ids = inOneBucket(9);
    for (const id of ids.slice(0, 8)) await add({ store, index }, id);
    const memory = store as unknown as { sessions: Record<string, string> };
    for (const id of ids.slice(0, 4)) {
      delete memory.sessions[id];
      delete memory.sessions[`oidc:${id}`];
    }
    // Idle: the record has gone, and the session is there.
    delete memory.sessions[`oidc:${ids[4]}`];
    // Being completed: the session is still to come.
    delete memory.sessions[String(ids[5])];
    await add({ store, index }, String(ids[8]));
    expect(await idsOf(index, store, { sub: 'ada' })).toEqual(ids.slice(4).sort());
  });

  it('keeps an entry as long as the session in it that lives longest', async () => {
    const { store, index } = start();
    const [first = '', second = '', third = ''] = inOneBucket(3);
    const lifeOf = async (): Promise<number> => {
      const memory = store as unknown as { sessions: Record<string, string> };
      const key = Object.keys(memory.sessions).find((name) => name.startsWith('oidc:sub:')) ?? '';
      return Number((await readEntry(store, key))?.cookie.originalMaxAge);
    };
    await add({ store, index }, first, { maxAge: hour });
    await add({ store, index }, second, { maxAge: 10 * hour });
    await add({ store, index }, first, { maxAge: hour });
    expect(await lifeOf()).toBe(10 * hour + 60_000);
    // Ends with the browser's session, whenever that is.
    await add({ store, index }, third, { maxAge: null });
    expect(await lifeOf()).toBe(30 * 24 * hour + 60_000);
  });

  it('refuses logins that had begun when their subject or sid was ended, and no later ones', async () => {
    const { store, index } = start();
    const seconds = clock.now() / 1000;
    await index.refuseBegun(store, { sid: 'one' });
    const isRefused = (sid: string | undefined, begunAt: number) =>
      index.isRefused(store, markOf('a', sid), begunAt);
    expect(await isRefused('one', seconds - 1)).toBe(true);
    expect(await isRefused('one', seconds)).toBe(true);
    expect(await isRefused('one', seconds + 1)).toBe(false);
    expect(await isRefused('two', seconds - 1)).toBe(false);
    await index.refuseBegun(store, { sub: 'ada' });
    expect(await isRefused('two', seconds - 1)).toBe(true);
    expect(await isRefused(undefined, seconds - 1)).toBe(true);
  });
});
