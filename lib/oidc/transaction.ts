import { createHash, createHmac, randomBytes } from 'node:crypto';
import { TransactionError } from '../errors.ts';
import type { ResolvedOptions, ResponseMode, ResponseType } from '../options.ts';
import { type LoginRequest, loginRequestOf } from './login-request.ts';

/** One login under way: what was sent, so that the answer can be held against it. */
export interface Transaction {
  /** 256 random bits, known to nobody else: state, nonce and verifier are made of it. */
  readonly seed: string;
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
  /** Types of the authorization details that were asked for. RFC 9396 2. */
  readonly detailTypes?: readonly string[] | undefined;
  /** Where the visitor goes after the login: a checked path of the application. */
  readonly returnTo: string;
  /** The visitor's session, to be found again where its cookie is `Strict`, or another tab has moved it. */
  readonly sessionId: string | undefined;
  /** Epoch milliseconds: a browser may begin several logins within a second. */
  readonly startedAt: number;
  /** Of which tenant it is; a part of the state as well. */
  readonly tenant: string | undefined;
}

/** In the order of their numbers in {@link Fields}, which must not change. */
const responseTypes: readonly ResponseType[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
];
const responseModes: readonly ResponseMode[] = [
  'form_post',
  'query',
  'fragment',
  'form_post.jwt',
  'query.jwt',
  'fragment.jwt',
  'jwt',
];

/** What is `undefined` is written as `null`. */
type Fields = [
  version: 2,
  seed: string,
  note: string | null | undefined,
  redirectUri: string,
  responseType: number,
  responseMode: number,
  maxAge: number | null | undefined,
  acrValues: string | null,
  organization: string | null | undefined,
  returnTo: string,
  sessionId: string | null | undefined,
  startedAt: number,
  /** Left out by flows that are not of a tenant. */
  tenant?: string | null | undefined,
  /** Left out by logins without any. */
  detailTypes?: readonly string[],
];

/**
 * Begins a login.
 *
 * @param note goes behind the random part of the state
 */
export function createTransaction(
  options: ResolvedOptions,
  visitor: Pick<Transaction, 'responseMode' | 'returnTo' | 'sessionId' | 'detailTypes'>,
  { maxAge, acrValues, organization }: LoginRequest = loginRequestOf(options),
  note?: string,
): Transaction {
  return {
    ...secretsOf(randomBytes(32).toString('base64url'), note, options.tenant),
    redirectUri: options.redirectUri,
    responseType: options.responseType,
    maxAge,
    acrValues,
    organization,
    ...visitor,
    startedAt: options.now(),
    tenant: options.tenant,
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
    2,
    transaction.seed,
    noteOf(transaction.state),
    transaction.redirectUri,
    responseTypes.indexOf(transaction.responseType),
    responseModes.indexOf(transaction.responseMode),
    transaction.maxAge,
    transaction.acrValues.join(' ') || null,
    transaction.organization,
    transaction.returnTo,
    transaction.sessionId,
    transaction.startedAt,
  ];
  const { tenant, detailTypes = [] } = transaction;
  if (tenant !== undefined || detailTypes.length > 0) fields.push(tenant);
  if (detailTypes.length > 0) fields.push(detailTypes);
  return JSON.stringify(fields);
}

/** Reads what {@link serializeTransaction} wrote and a seal protected; `undefined` for another version. */
export function parseTransaction(text: string): Transaction | undefined {
  const fields = JSON.parse(text) as Fields;
  if (fields[0] !== 2) return undefined;
  const responseType = responseTypes[fields[4]];
  const responseMode = responseModes[fields[5]];
  if (responseType === undefined || responseMode === undefined) return undefined;
  return {
    ...secretsOf(fields[1], fields[2] ?? undefined, fields[12] ?? undefined),
    redirectUri: fields[3],
    responseType,
    responseMode,
    maxAge: fields[6] ?? undefined,
    acrValues: fields[7]?.split(' ') ?? [],
    organization: fields[8] ?? undefined,
    returnTo: fields[9],
    sessionId: fields[10] ?? undefined,
    startedAt: fields[11],
    tenant: fields[12] ?? undefined,
    detailTypes: fields[13],
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
  const ageSeconds = (options.now() - transaction.startedAt) / 1000;
  if (ageSeconds > options.transactionTtlSeconds) {
    throw new TransactionError(
      'ERR_OIDC_TRANSACTION_EXPIRED',
      `the login took longer than transactionTtlSeconds (${options.transactionTtlSeconds}); begin again`,
    );
  }
}

/**
 * One seed in place of three random values: a third of the bytes in a cookie of which a browser may
 * have several. HMAC-SHA-256 is one-way and its outputs are independent, so that the OP, which sees
 * state and nonce, learns nothing of the verifier.
 */
function secretsOf(
  seed: string,
  note: string | undefined,
  tenant: string | undefined,
): Pick<Transaction, 'seed' | 'state' | 'nonce' | 'codeVerifier'> {
  const derive = (name: string): string =>
    createHmac('sha256', seed).update(name).digest('base64url');
  const random =
    tenant === undefined ? derive('state') : `${derive('state')}${tenantMark}${tenant}`;
  return {
    seed,
    state: note === undefined ? random : `${random}.${note}`,
    nonce: derive('nonce'),
    codeVerifier: derive('code_verifier'),
  };
}

/** What stands behind the random part of a state. */
export function noteOf(state: string): string | undefined {
  return state.split('.')[1];
}

/** Between the random part of a state and the tenant that it is of. */
const tenantMark = '~';

/**
 * Refuses an answer to another tenant's login. Told by the state, as the cookie of that login may be
 * another host's; whatever a state says, no other tenant's transaction opens.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.4 RFC 9700 section 4.4}
 * @throws {@link TransactionError} `ERR_OIDC_TENANT_MISMATCH`
 */
export function refuseOtherTenant(
  state: string,
  { tenant }: Pick<ResolvedOptions, 'tenant'>,
): void {
  const found = state.split('.')[0]?.split(tenantMark)[1];
  if (tenant === undefined || found === undefined || found === tenant) return;
  throw new TransactionError(
    'ERR_OIDC_TENANT_MISMATCH',
    'this authorization response belongs to the login of another tenant',
  );
}
