import type { Request } from 'express';
import { BoundedMap } from '../bounded-map.ts';
import { HybridFlowError, LockError, TransactionError } from '../errors.ts';
import type { Lock, Release } from '../lock.ts';
import { shortDigest, type Transaction } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { readEntry, type SessionStore, writeEntry } from '../tokens/session-store.ts';
import { recordCookie, recordKey } from '../tokens/token-store.ts';
import type { LoginSessions } from './login-session.ts';

/** How long the outcome of a login is remembered. */
const rememberedSeconds = 60;

/** Beyond so many within a minute, a double submit meets the OP's own refusal. */
const maxRemembered = 10_000;

/** As long as a request may take for the code exchange, and whatever `verify` does. */
const [leaseSeconds, waitSeconds] = [10, 20];

/**
 * What became of logins that were completed lately. A visitor who submits twice cancels the first
 * navigation, whose cookies then never arrive: the second request waits for the first and gets the
 * same session, at whichever process it arrives. The code is sent to the OP once (RFC 6749 4.1.2).
 */
export interface LoginOutcomes {
  /**
   * Runs the part of a login that spends its code, once for its state.
   *
   * @param transaction of the request's own cookie: nobody else gets the session
   * @returns the id of the session
   * @throws {@link TransactionError} `ERR_OIDC_TRANSACTION_FAILED` when another process refused it
   */
  once(req: Request, transaction: Transaction, login: () => Promise<string>): Promise<string>;
  /** Where a login has led that this process has completed. */
  returnToOf(state: string | undefined): string | undefined;
}

interface OutcomeParts {
  readonly options: ResolvedOptions;
  readonly sealer: Sealer;
  /** That of several processes; `undefined` where one is all there is. */
  readonly lock: Lock | undefined;
  readonly loginSessions: Pick<LoginSessions, 'storeOf'>;
}

interface Outcome {
  /** Epoch milliseconds. */
  readonly forgottenAt: number;
  readonly sessionId: Promise<string>;
  readonly returnTo: string;
}

/** What the store has of an outcome. */
type StoredOutcome = [end: 'signed in', sessionId: string] | [end: 'failed', code: string];

export function createLoginOutcomes(parts: OutcomeParts): LoginOutcomes {
  const { options, lock, loginSessions } = parts;
  const recent = new BoundedMap<string, Outcome>(maxRemembered);

  const forget = (now: number): void => {
    for (const [state, { forgottenAt }] of recent) {
      if (forgottenAt >= now) break;
      recent.delete(state);
    }
  };

  return {
    async once(req, transaction, login) {
      const { state, returnTo } = transaction;
      forget(options.now());
      const before = recent.get(state);
      if (before !== undefined) return before.sessionId;
      const sessionId = lock
        ? onceForAll(parts, lock, loginSessions.storeOf(req), transaction, login)
        : login();
      const forgottenAt = options.now() + rememberedSeconds * 1000;
      recent.set(state, { forgottenAt, sessionId, returnTo });
      return sessionId;
    },
    returnToOf: (state = '') => recent.get(state)?.returnTo,
  };
}

/** {@link LoginOutcomes.once} among all processes that share the store and the lock. */
async function onceForAll(
  parts: OutcomeParts,
  lock: Lock,
  store: SessionStore,
  transaction: Transaction,
  login: () => Promise<string>,
): Promise<string> {
  const { issuer, clientId, sessionKey } = parts.options;
  const name = shortDigest(JSON.stringify([issuer, clientId, transaction.state]), 22);
  const key = recordKey(sessionKey, `login:${name}`);
  const release = await acquire(lock, key);
  try {
    const before = await readOutcome(parts, store, key, transaction);
    if (before !== undefined) return sessionOf(before);
    const outcome = await login().catch(async (error: unknown) => {
      // Whoever comes next must not send the code again.
      const { code } = error instanceof HybridFlowError ? error : { code: 'another error' };
      await writeOutcome(parts, store, key, transaction, ['failed', code]);
      throw error;
    });
    await writeOutcome(parts, store, key, transaction, ['signed in', outcome]);
    return outcome;
  } finally {
    void release?.();
  }
}

/**
 * A lock that fails keeps nobody from signing in: it is for those who submit twice.
 *
 * @throws {@link LockError} when another request holds it for too long
 */
async function acquire(lock: Lock, key: string): Promise<Release | undefined> {
  let release: Release | undefined;
  try {
    release = await lock.acquire(key, leaseSeconds, waitSeconds);
  } catch {
    return undefined;
  }
  if (release === undefined) throw new LockError(new Error('this login is being completed'));
  return release;
}

function sessionOf([end, value]: StoredOutcome): string {
  if (end === 'signed in') return value;
  throw new TransactionError(
    'ERR_OIDC_TRANSACTION_FAILED',
    `this login was completed before, by another process of the application, and refused with ${value}`,
  );
}

/** By the seed, which is in the transaction cookie and nowhere else. */
function purposeOf({ issuer, clientId }: ResolvedOptions, { seed }: Transaction): string {
  return JSON.stringify(['login outcome', issuer, clientId, seed]);
}

async function readOutcome(
  { options, sealer }: OutcomeParts,
  store: SessionStore,
  key: string,
  transaction: Transaction,
): Promise<StoredOutcome | undefined> {
  const sealed = (await readEntry(store, key))?.[options.sessionKey];
  const text =
    typeof sealed === 'string' ? sealer.open(sealed, purposeOf(options, transaction)) : undefined;
  return text === undefined ? undefined : JSON.parse(text);
}

/** Does not fail: the login has its outcome, whether or not others learn of it. */
async function writeOutcome(
  { options, sealer }: OutcomeParts,
  store: SessionStore,
  key: string,
  transaction: Transaction,
  outcome: StoredOutcome,
): Promise<void> {
  const cookie = recordCookie({ originalMaxAge: rememberedSeconds * 1000 }, options.now());
  const sealed = sealer.seal(JSON.stringify(outcome), purposeOf(options, transaction));
  await writeEntry(store, key, { cookie, [options.sessionKey]: sealed }).catch(() => undefined);
}
