import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { subscribe } from 'passport-oidc-hybrid';
import type { Lock } from '../../lib/lock.ts';
import { createDpopProofs } from '../../lib/oidc/dpop.ts';
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
  type StoredLogin,
  type TokenStore,
} from '../../lib/tokens/token-store.ts';
import { startClock } from '../support/clock.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';
import { loginTarget, refreshedOf, tokensOf } from '../support/tokens.ts';

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
    const first = renewTokenRecord(
      stale,
      refreshedOf({ accessToken: 'of the first' }),
      loginTarget,
    );
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
    const fresh = createFreshTokens({
      options,
      provider,
      tokenStore: outrun,
      lock,
    });
    const expected = { version: 2, tokens: { accessToken: 'of the first' } };
    const told: unknown[] = [];
    const unsubscribe = subscribe('reuse', ({ login }) => void told.push(login));
    expect(await fresh.renew({ place, record: stale, cookie }, loginTarget)).toMatchObject(
      expected,
    );
    expect(await tokenStore.read(place)).toMatchObject(expected);
    expect(told).toEqual([{ flow: 'oidc', loginId: stale.loginId, sub: 'ada' }]);
    unsubscribe();
  });
});

describe('a refresh that takes long', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A refresh that is held at the OP, and whoever waits for it. */
  async function startHeld(
    expiresInSeconds: number,
  ): Promise<Started & { waiting: Promise<unknown>; gate: Gate; login: StoredLogin }> {
    const started = await start();
    const { op, place, stale, tokenStore } = started;
    op.metadata['revocation_endpoint'] = 'https://op.example/revoke';
    const expiresAt = Math.floor(op.options.now() / 1000) + expiresInSeconds;
    const record = { ...stale, tokens: { ...stale.tokens, expiresAt } };
    await tokenStore.write(place, record, cookie);
    const gate = createGate();
    op.token = async () => {
      await gate.wait();
      return Response.json({ access_token: 'late', token_type: 'Bearer', refresh_token: 'next' });
    };
    const login = { place, record, cookie };
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const waiting = started.fresh.renew(login, loginTarget).catch((error: unknown) => error);
    await gate.reached;
    return { ...started, waiting, gate, login };
  }

  it('is waited for as long as is documented, and goes on without anybody', async () => {
    const { waiting, gate, place, tokenStore, fresh, login, refreshes } = await startHeld(-1);
    // The lease of the lock and httpTimeoutSeconds, by default.
    jest.advanceTimersByTime(20_000);
    expect(await waiting).toMatchObject({ code: 'ERR_OIDC_PROVIDER_TIMEOUT', status: 503 });
    // Whoever comes meanwhile waits for the same one.
    const next = fresh.renew(login, loginTarget);
    gate.open();
    expect(await next).toMatchObject({ tokens: { accessToken: 'late' } });
    expect(await tokenStore.read(place)).toMatchObject({ tokens: { refreshToken: 'next' } });
    expect(refreshes()).toBe(1);
  });

  it('lets a token that is still valid serve meanwhile', async () => {
    const { waiting, gate, login } = await startHeld(30);
    jest.advanceTimersByTime(3000);
    expect(await waiting).toBe(login.record);
    gate.open();
  });

  it('keeps nobody from signing out, brings nothing back, and its refresh token is revoked', async () => {
    const { waiting, gate, op, fresh, place, tokenStore } = await startHeld(-1);
    const leaving = fresh.end(place, 'user');
    await jest.advanceTimersByTimeAsync(0);
    await leaving;
    expect(await tokenStore.read(place)).toBeUndefined();
    gate.open();
    expect(await waiting).toMatchObject({ code: 'ERR_OIDC_LOGIN_ENDED' });
    expect(await tokenStore.read(place)).toBeUndefined();
    expect(op.requests.at(-1)).toMatchObject({
      url: 'https://op.example/revoke',
      parameters: { token: 'next' },
    });
  });
});

describe('a login that ends', () => {
  it('just between the second look of a refresh and its writing stays ended', async () => {
    const lock = inProcessLock();
    const { fresh, place, stale, tokenStore } = await start({ lock: () => lock });
    const release = await lock.acquire('oidc:sid', 10, 0);
    await fresh.end(place, 'user');
    // The holder of the lock writes what it had read before.
    await tokenStore.write(place, stale, cookie);
    await release?.();
    const again = await lock.acquire('oidc:sid', 10, 10);
    await again?.();
    expect(await tokenStore.read(place)).toBeUndefined();
  });
});

describe('a record that is stale', () => {
  it('is read again under the lock: what another process renewed is not renewed again', async () => {
    const { fresh, place, stale, refreshes } = await start({
      lock: (started) => ({
        async acquire() {
          const { tokenStore, place: where, stale: before } = started();
          const renewed = renewTokenRecord(
            before,
            refreshedOf({ accessToken: 'of the other' }),
            loginTarget,
          );
          await tokenStore.replace(where, renewed, cookie);
          return () => undefined;
        },
      }),
    });
    const record = await fresh.renew({ place, record: stale, cookie }, loginTarget);
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
    await expect(fresh.renew({ place, record: stale, cookie }, loginTarget)).rejects.toMatchObject({
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
    const waiting = [1, 2, 3].map(() => fresh.renew({ place, record: stale, cookie }, loginTarget));
    await gate.reached;
    waiting.push(fresh.renew({ place, record: stale, cookie }, loginTarget));
    gate.open();
    const records = await Promise.all(waiting);
    expect(new Set(records).size).toBe(1);
    expect([acquired, refreshes()]).toEqual([1, 1]);
    await fresh.renew({ place, record: records[0] as TokenRecord, cookie }, loginTarget);
    expect([acquired, refreshes()]).toEqual([2, 2]);
  });

  it('serves on in an outage of the OP', async () => {
    const { op, fresh, place, stale } = await start();
    op.token = () => new Response(null, { status: 503 });
    expect(await fresh.renew({ place, record: stale, cookie }, loginTarget)).toEqual(stale);
  });

  it('is left in peace for a while, also by APIs that refuse the token', async () => {
    const { op, fresh, place, stale, refreshes } = await start();
    op.token = () => new Response(null, { status: 503 });
    for (let round = 0; round < 5; round += 1) {
      await fresh.replaceRejected({ place, record: stale, cookie }, loginTarget, 'at');
    }
    expect(refreshes()).toBe(1);
  });

  it('does not serve on over a defect, which is no outage', async () => {
    const defect = new TypeError('a defect');
    const { fresh, place, stale } = await start({
      provider: {
        discovered: () => Promise.reject(defect),
        dpop: createDpopProofs({ now: Date.now }),
      },
    });
    await expect(fresh.renew({ place, record: stale, cookie }, loginTarget)).rejects.toBe(defect);
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
    await expect(fresh.renew({ place, record: stale, cookie }, loginTarget)).rejects.toMatchObject({
      code: 'ERR_OIDC_LOGIN_ENDED',
    });
    await fresh.end(place, 'user');
    // Nobody waits for the second look that follows the removal.
    await nextTurn();
    expect(held).toBe(0);
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
