import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import type { Lock } from '../../lib/lock.ts';
import { createProvider, type Provider } from '../../lib/oidc/provider.ts';
import { createFreshTokens, type FreshTokens } from '../../lib/tokens/fresh-token.ts';
import { inProcessLock } from '../../lib/tokens/lock.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import type { SessionStore } from '../../lib/tokens/session-store.ts';
import {
  createTokenRecord,
  renewTokenRecord,
  type TokenRecord,
} from '../../lib/tokens/token-record.ts';
import {
  createTokenStore,
  type RecordPlace,
  type TokenStore,
} from '../../lib/tokens/token-store.ts';
import { startClock } from '../support/clock.ts';
import { createGate } from '../support/gate.ts';
import { type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';
import { tokensOf } from '../support/tokens.ts';

const cookie = { originalMaxAge: null, expires: null };

interface Started {
  readonly op: OpByFetch;
  readonly place: RecordPlace;
  readonly tokenStore: TokenStore;
  readonly fresh: FreshTokens;
  /** In the store; its access token ends in half a minute, which is within the margin. */
  readonly stale: TokenRecord;
  refreshes(): number;
}

async function start(
  parts: { provider?: Provider; lock?: (started: () => Started) => Lock } = {},
): Promise<Started> {
  const clock = startClock();
  const op = opByFetch({ now: clock.now });
  const { options } = op;
  const tokenStore = createTokenStore(createSealer(options.secrets), options);
  const place = { store: new MemoryStore() as unknown as SessionStore, sessionId: 'sid' };
  const provider = parts.provider ?? createProvider(options);
  const lock = parts.lock?.(() => started) ?? inProcessLock();
  const expiresAt = Math.floor(clock.now() / 1000) + 30;
  const stale = createTokenRecord(tokensOf({ expiresAt, expiresIn: 3600 }));
  await tokenStore.write(place, stale, cookie);
  const started: Started = {
    op,
    place,
    tokenStore,
    stale,
    fresh: createFreshTokens({ options, provider, tokenStore, lock }),
    refreshes: () => op.requests.filter(({ url }) => url.endsWith('/token')).length,
  };
  return started;
}

describe('a lock that lets two in', () => {
  it('costs no login: who writes second takes what the first has written', async () => {
    const { op, place, stale, tokenStore } = await start();
    const first = renewTokenRecord(stale, tokensOf({ accessToken: 'of the first' }));
    const outrun: TokenStore = {
      ...tokenStore,
      async replace(...second) {
        await tokenStore.replace(place, first, cookie);
        return tokenStore.replace(...second);
      },
    };
    const { options } = op;
    const lock: Lock = { acquire: async () => () => undefined };
    const provider = createProvider(options);
    const fresh = createFreshTokens({ options, provider, tokenStore: outrun, lock });
    const expected = { version: 2, tokens: { accessToken: 'of the first' } };
    expect(await fresh.renew(place, stale, cookie)).toMatchObject(expected);
    expect(await tokenStore.read(place)).toMatchObject(expected);
  });
});

describe('a record that is stale', () => {
  it('is read again under the lock: what another process renewed is not renewed again', async () => {
    const { fresh, place, stale, refreshes } = await start({
      lock: (started) => ({
        async acquire() {
          const { tokenStore, place: where, stale: before } = started();
          const renewed = renewTokenRecord(before, tokensOf({ accessToken: 'of the other' }));
          await tokenStore.replace(where, renewed, cookie);
          return () => undefined;
        },
      }),
    });
    const record = await fresh.renew(place, stale, cookie);
    expect(record).toMatchObject({ version: 2, tokens: { accessToken: 'of the other' } });
    expect(refreshes()).toBe(0);
  });

  it('is not renewed where its login has ended before the lock was had', async () => {
    const { fresh, place, stale, refreshes } = await start({
      lock: (started) => ({
        async acquire() {
          await started().tokenStore.remove(started().place);
          return () => undefined;
        },
      }),
    });
    await expect(fresh.renew(place, stale, cookie)).rejects.toMatchObject({
      code: 'ERR_OIDC_LOGIN_ENDED',
    });
    expect(refreshes()).toBe(0);
  });

  it('is renewed once for all who wait, with one lock taken, and again when they are done', async () => {
    let acquired = 0;
    const gate = createGate();
    const { op, fresh, place, stale, refreshes } = await start({
      lock: () => ({
        async acquire() {
          acquired += 1;
          return () => undefined;
        },
      }),
    });
    op.token = async () => {
      await gate.wait();
      return Response.json({ access_token: 'new', token_type: 'Bearer', expires_in: 0 });
    };
    const waiting = [1, 2, 3].map(() => fresh.renew(place, stale, cookie));
    await gate.reached;
    waiting.push(fresh.renew(place, stale, cookie));
    gate.open();
    const records = await Promise.all(waiting);
    expect(new Set(records).size).toBe(1);
    expect([acquired, refreshes()]).toEqual([1, 1]);
    await fresh.renew(place, records[0] as TokenRecord, cookie);
    expect([acquired, refreshes()]).toEqual([2, 2]);
  });

  it('serves on in an outage of the OP', async () => {
    const { op, fresh, place, stale } = await start();
    op.token = () => new Response(null, { status: 503 });
    expect(await fresh.renew(place, stale, cookie)).toEqual(stale);
  });

  it('does not serve on over a defect, which is no outage', async () => {
    const defect = new TypeError('a defect');
    const { fresh, place, stale } = await start({
      provider: { discovered: () => Promise.reject(defect) },
    });
    await expect(fresh.renew(place, stale, cookie)).rejects.toBe(defect);
  });

  it('gives its lock back, however it ends', async () => {
    let held = 0;
    const { op, fresh, place, stale } = await start({
      lock: () => ({
        async acquire() {
          held += 1;
          return () => {
            held -= 1;
          };
        },
      }),
    });
    op.token = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    await expect(fresh.renew(place, stale, cookie)).rejects.toMatchObject({
      code: 'ERR_OIDC_LOGIN_ENDED',
    });
    await fresh.end(place);
    expect(held).toBe(0);
  });
});
