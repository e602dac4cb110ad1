import { describe, expect, it } from '@jest/globals';
import { createProvider } from '../../lib/oidc/provider.ts';
import { resolveTarget } from '../../lib/oidc/token-target.ts';
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
  type StoredLogin,
  type TokenStore,
} from '../../lib/tokens/token-store.ts';
import { FailingStore } from '../support/failing-store.ts';
import { createGate } from '../support/gate.ts';
import { type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';
import { loginTarget, refreshedOf, tokensOf } from '../support/tokens.ts';

const cookie = { originalMaxAge: null, expires: null };
const oldSecret = 'the old secret, which is 32 characters long';
const newSecret = 'the new secret, which is 32 characters long';

interface Started {
  readonly op: OpByFetch;
  readonly store: FailingStore;
  /** Its access token has expired. */
  readonly login: StoredLogin;
  /** Refresh tokens that the OP was sent. */
  readonly sent: string[];
  /** A process of its own, with a memory of its own; the lock is shared. */
  processOf(secrets: readonly string[], change?: (store: TokenStore) => TokenStore): FreshTokens;
}

/** Processes on one store with one lock, and an OP that ends a grant whose spent token comes again. */
async function start(): Promise<Started> {
  const op = opByFetch();
  const { options } = op;
  const store = new FailingStore();
  const place = { store: store as unknown as SessionStore, sessionId: 'sid' };
  const sent: string[] = [];
  let current = 'rt';
  op.token = () => {
    const token = op.requests.at(-1)?.parameters['refresh_token'] ?? '';
    sent.push(token);
    if (token !== current) return Response.json({ error: 'invalid_grant' }, { status: 400 });
    current = `rt${sent.length}`;
    return Response.json({
      access_token: `at${sent.length}`,
      token_type: 'Bearer',
      refresh_token: current,
      expires_in: 3600,
    });
  };
  const lock = inProcessLock();
  const expiresAt = Math.floor(Date.now() / 1000) - 1;
  const record = createTokenRecord(tokensOf({ expiresAt, expiresIn: 3600 }));
  await createTokenStore(createSealer([oldSecret]), options).write(place, record, cookie);
  return {
    op,
    store,
    sent,
    login: { place, record, cookie },
    processOf(secrets, change = (same) => same) {
      const tokenStore = change(createTokenStore(createSealer(secrets), options));
      return createFreshTokens({ options, provider: createProvider(options), tokenStore, lock });
    },
  };
}

const tokenOf = (renewing: Promise<TokenRecord>): Promise<string> =>
  renewing.then(
    ({ tokens }) => tokens.accessToken,
    (error: { code: string }) => error.code,
  );

describe('two processes', () => {
  it('lose no login by a store that fails once to take a renewed record', async () => {
    const { store, login, sent, processOf } = await start();
    const [one, two] = [processOf([oldSecret]), processOf([oldSecret])];
    let writes = 0;
    store.failsAt = (operation) => {
      if (operation === 'write') writes += 1;
      return operation === 'write' && writes === 1;
    };
    expect(await tokenOf(one.renew(login, loginTarget))).toBe('at1');
    expect(await tokenOf(two.renew(login, loginTarget))).toBe('at1');
    expect([sent, writes]).toEqual([['rt'], 2]);
  });

  it('end no login where one has the next secret already, and the other has not', async () => {
    const { op, login, processOf } = await start();
    const [one, two] = [processOf([newSecret, oldSecret]), processOf([oldSecret])];
    const gate = createGate();
    const { token } = op;
    op.token = async () => {
      await gate.wait();
      return token();
    };
    const first = tokenOf(one.renew(login, loginTarget));
    await gate.reached;
    const second = tokenOf(two.renew(login, loginTarget));
    gate.open();
    expect(await first).toBe('at1');
    // Not ERR_OIDC_LOGIN_ENDED, at which the session is destroyed.
    expect(await second).toBe('ERR_OIDC_LOGIN_REQUIRED');
    const knowing = processOf([newSecret, oldSecret]);
    expect(await tokenOf(knowing.renew(login, loginTarget))).toBe('at1');
  });

  it('that outrun each other for two APIs still get a token each', async () => {
    const { login, processOf } = await start();
    const orders = resolveTarget({ audience: 'orders' }, { resources: [], audience: undefined });
    const theirs = refreshedOf({ accessToken: 'x', refreshToken: 'rt1' });
    const outrun = processOf([oldSecret], (tokenStore) => ({
      ...tokenStore,
      async replace(...second) {
        const first = renewTokenRecord(login.record, theirs, loginTarget);
        await tokenStore.replace(login.place, first, cookie);
        return tokenStore.replace(...second);
      },
    }));
    const renewed = await outrun.renew(login, orders);
    expect(renewed.apiTokens.get(orders.key)?.accessToken).toBe('at2');
    expect(renewed.tokens.accessToken).toBe('x');
  });
});
