import { createHash, randomBytes } from 'node:crypto';
import { TransactionError } from '../errors.ts';
import type { ResolvedOptions, ResponseMode, ResponseType } from '../options.ts';
import type { AuthenticationDemands } from './step-up.ts';

/** One login under way: what was sent, so that the answer can be held against it. */
export interface Transaction {
  /** Binds the answer to this login. RFC 6749 10.12. */
  readonly state: string;
  /** Binds the ID Tokens to this login. Core 15.5.2. */
  readonly nonce: string;
  /** Binds the code to this login. RFC 7636. */
  readonly codeVerifier: string;
  /** Verbatim as sent; the token request repeats it. RFC 6749 4.1.3. */
  readonly redirectUri: string;
  readonly responseType: ResponseType;
  readonly responseMode: ResponseMode;
  readonly maxAge: number | undefined;
  readonly acrValues: readonly string[];
  readonly organization: string | undefined;
  /** Where the visitor goes after the login: a checked path of the application. */
  readonly returnTo: string;
  /** The visitor's session, to be found again where its cookie is `Strict`. */
  readonly sessionId: string | undefined;
  /** Epoch seconds. */
  readonly startedAt: number;
}

type Fields = [
  version: 1,
  state: string,
  nonce: string,
  codeVerifier: string,
  redirectUri: string,
  responseType: ResponseType,
  responseMode: ResponseMode,
  maxAge: number | null,
  acrValues: readonly string[],
  organization: string | null,
  returnTo: string,
  sessionId: string | null,
  startedAt: number,
];

/**
 * Begins a login; state, nonce and verifier have 256 bits of randomness each.
 *
 * @param note goes behind the random part of the state
 */
export function createTransaction(
  options: ResolvedOptions,
  visitor: Pick<Transaction, 'responseMode' | 'returnTo' | 'sessionId'>,
  demands?: AuthenticationDemands,
  note?: string,
): Transaction {
  return {
    state: note === undefined ? randomText() : `${randomText()}.${note}`,
    nonce: randomText(),
    codeVerifier: randomText(),
    redirectUri: options.redirectUri,
    responseType: options.responseType,
    ...authenticationOf(options, demands),
    organization: options.organization,
    ...visitor,
    startedAt: Math.floor(options.now() / 1000),
  };
}

/**
 * What is asked of the user's authentication: a step-up takes the place of what the options say for
 * the method, and is never laxer than they are in time.
 */
function authenticationOf(
  options: ResolvedOptions,
  demands: AuthenticationDemands | undefined,
): Pick<Transaction, 'maxAge' | 'acrValues'> {
  const { maxAge, acrValues } = options;
  if (demands === undefined) return { maxAge, acrValues };
  const isForMethod = demands.acrValues.length > 0;
  const demandedAge = demands.maxAge ?? (isForMethod ? undefined : 0);
  const ages = [maxAge, demandedAge].filter((age) => age !== undefined);
  return {
    maxAge: ages.length > 0 ? Math.min(...ages) : undefined,
    acrValues: isForMethod ? demands.acrValues : acrValues,
  };
}

/** A short name for the login with this state, fit for the name of a cookie. */
export function transactionId(state: string): string {
  return shortDigest(state, 16);
}

/** The beginning of a SHA-256, base64url: 6 bits a character. */
export function shortDigest(text: string, characters: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, characters);
}

/** As text, without field names: there may be several in a request's cookies. */
export function serializeTransaction(transaction: Transaction): string {
  const fields: Fields = [
    1,
    transaction.state,
    transaction.nonce,
    transaction.codeVerifier,
    transaction.redirectUri,
    transaction.responseType,
    transaction.responseMode,
    transaction.maxAge ?? null,
    transaction.acrValues,
    transaction.organization ?? null,
    transaction.returnTo,
    transaction.sessionId ?? null,
    transaction.startedAt,
  ];
  return JSON.stringify(fields);
}

/** Reads what {@link serializeTransaction} wrote and a seal protected; `undefined` for another version. */
export function parseTransaction(text: string): Transaction | undefined {
  const fields = JSON.parse(text) as Fields;
  if (fields[0] !== 1) return undefined;
  return {
    state: fields[1],
    nonce: fields[2],
    codeVerifier: fields[3],
    redirectUri: fields[4],
    responseType: fields[5],
    responseMode: fields[6],
    maxAge: fields[7] ?? undefined,
    acrValues: fields[8],
    organization: fields[9] ?? undefined,
    returnTo: fields[10],
    sessionId: fields[11] ?? undefined,
    startedAt: fields[12],
  };
}

/**
 * Refuses a login that took too long, by the server's clock: a browser may keep cookies.
 *
 * @throws {@link TransactionError} `ERR_OIDC_TRANSACTION_EXPIRED`
 */
export function refuseExpired(
  transaction: Transaction,
  options: Pick<ResolvedOptions, 'now' | 'transactionTtlSeconds'>,
): void {
  const ageSeconds = options.now() / 1000 - transaction.startedAt;
  if (ageSeconds > options.transactionTtlSeconds) {
    throw new TransactionError(
      'ERR_OIDC_TRANSACTION_EXPIRED',
      `the login took longer than transactionTtlSeconds (${options.transactionTtlSeconds}); begin again`,
    );
  }
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}
