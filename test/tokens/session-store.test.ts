import { describe, expect, it } from '@jest/globals';
import { readEntry, type SessionStore, writeEntry } from '../../lib/tokens/session-store.ts';

const failing = (error: unknown): SessionStore => ({
  get: (_sid, done) => done(error),
  set: (_sid, _entry, done) => done?.(error),
  destroy: (_sid, done) => done?.(error),
});

describe('an entry of the store', () => {
  it('is not there where the store says so by ENOENT', async () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    expect(await readEntry(failing(error), 'sid')).toBeUndefined();
  });

  it.each([null, undefined])('is not there where the store gives %s', async (entry) => {
    const store = { ...failing(null), get: (_sid, done) => done(null, entry) } as SessionStore;
    expect(await readEntry(store, 'sid')).toBeUndefined();
  });

  it('cannot be told where the store fails', async () => {
    const cause = Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
    await expect(readEntry(failing(cause), 'sid')).rejects.toMatchObject({
      code: 'ERR_OIDC_SESSION_STORE',
      cause,
    });
  });

  it('cannot be told either where the store throws', async () => {
    const cause = new Error('not connected');
    const throws = (): never => {
      throw cause;
    };
    const store: SessionStore = { get: throws, set: throws, destroy: throws };
    const expected = { code: 'ERR_OIDC_SESSION_STORE', cause };
    await expect(readEntry(store, 'sid')).rejects.toMatchObject(expected);
    await expect(writeEntry(store, 'sid', { cookie: {} })).rejects.toMatchObject(expected);
  });
});
