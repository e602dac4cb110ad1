import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { createSealer } from '../../lib/tokens/seal.ts';
import { readEntry, type SessionStore } from '../../lib/tokens/session-store.ts';
import { createTokenRecord, renewTokenRecord } from '../../lib/tokens/token-record.ts';
import { createTokenStore } from '../../lib/tokens/token-store.ts';
import { loginTarget, refreshedOf, tokensOf } from '../support/tokens.ts';

const client = { issuer: 'https://op.example', clientId: 'client' };

const sealer = createSealer(['a secret for tests, of 32 characters']);
const endless = { originalMaxAge: null, expires: null };

function start(now: () => number = Date.now) {
  const store = new MemoryStore() as unknown as SessionStore;
  const place = { store, sessionId: 'sid' };
  return {
    store,
    place,
    tokens: createTokenStore(sealer, {
      ...client,
      tenant: undefined,
      sessionKey: 'oidc',
      idleLifetimeSeconds: undefined,
      now,
    }),
  };
}

describe('a token record in the store', () => {
  it('is replaced by the version after it, and by no other', async () => {
    const { place, tokens } = start();
    const first = createTokenRecord(tokensOf({ accessToken: 'first' }));
    await tokens.write(place, first, endless);
    const second = renewTokenRecord(first, refreshedOf({ accessToken: 'second' }), loginTarget);
    expect(await tokens.replace(place, second, endless)).toBe(true);
    for (const version of [1, 2, 4]) {
      const late = { ...second, version, tokens: tokensOf({ accessToken: 'late' }) };
      expect(await tokens.replace(place, late, endless)).toBe(false);
    }
    expect(await tokens.read(place)).toMatchObject({
      version: 2,
      tokens: { accessToken: 'second' },
    });
  });

  it('is not replaced by that of another login, nor where there is none', async () => {
    const { place, tokens } = start();
    const first = createTokenRecord(tokensOf());
    const other = renewTokenRecord(createTokenRecord(tokensOf()), refreshedOf(), loginTarget);
    expect(await tokens.replace(place, other, endless)).toBe(false);
    expect(await tokens.read(place)).toBeUndefined();
    await tokens.write(place, first, endless);
    expect(await tokens.replace(place, other, endless)).toBe(false);
    expect(await tokens.read(place)).toEqual(first);
  });

  it('outlives its session by a minute', async () => {
    const { store, place, tokens } = start(() => 1_000_000);
    let written: unknown;
    store.set = (_sid, entry, done) => {
      written = entry.cookie;
      done?.();
    };
    const record = createTokenRecord(tokensOf());
    const cookie = { originalMaxAge: 10_000 };
    const expected = { originalMaxAge: 70_000, expires: new Date(1_070_000) };
    await tokens.write(place, record, cookie);
    expect(written).toEqual(expected);
    // For stores that look at nothing else; it is not stored.
    expect(written).toHaveProperty('maxAge', 70_000);
  });

  it('has no end of its own beside a session that lasts as long as the browser', async () => {
    const { place, tokens } = start(() => Date.now() - 3_600_000);
    const record = createTokenRecord(tokensOf());
    for (const cookie of [endless, {}, { originalMaxAge: undefined }]) {
      await tokens.write(place, record, cookie);
      expect(await tokens.read(place)).toEqual(record);
    }
  });

  it('is not there for another session, to which somebody has copied it', async () => {
    const { store, place, tokens } = start();
    await tokens.write(place, createTokenRecord(tokensOf()), endless);
    const entry = await readEntry(store, 'oidc:sid');
    store.set('oidc:other', entry ?? { cookie: {} });
    expect(await tokens.read({ store, sessionId: 'other' })).toBeUndefined();
  });
});
