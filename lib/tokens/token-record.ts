import { randomBytes } from 'node:crypto';
import type { TokenSet } from '../oidc/code-exchange.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import { shortDigest } from '../oidc/transaction.ts';

/** What is kept of one login: the code-exchanged tokens and the claims of the ID Token. */
export interface TokenRecord {
  /** Names the login; the session carries the same, so that a record serves its own login only. */
  readonly loginId: string;
  /** Counts the writes of this record. */
  readonly version: number;
  readonly tokens: TokenSet;
}

/** The first record of a login. */
export function createTokenRecord(tokens: TokenSet): TokenRecord {
  return { loginId: randomBytes(12).toString('base64url'), version: 1, tokens };
}

/** What the session itself keeps of a login: enough to recognize it, nothing to use. */
export interface LoginMark {
  /** `loginId` of the record beside the session. */
  readonly id: string;
  /** Recognizes the same user at the next login. */
  readonly user: string;
  /** Recognizes the session that it was made for: applications copy whole sessions. */
  readonly session: string;
}

export function loginMark(record: TokenRecord, sessionId: string): LoginMark {
  const { iss, sub } = record.tokens.claims;
  return {
    id: record.loginId,
    user: shortDigest(JSON.stringify([iss, sub]), 16),
    session: shortDigest(sessionId, 8),
  };
}

/** Whether a mark was made for this session, and is no copy from another. */
export function isMarkOf(mark: LoginMark, sessionId: string): boolean {
  return mark.session === shortDigest(sessionId, 8);
}

/** The record after a refresh. */
export function renewTokenRecord(record: TokenRecord, tokens: TokenSet): TokenRecord {
  return { loginId: record.loginId, version: record.version + 1, tokens };
}

/**
 * Whether the access token has to be renewed before it is used. A token without `expires_in` is
 * taken as good until an API refuses it. The margin never exceeds half the token's life, or a
 * short-lived token would be renewed at each request.
 */
export function isStale(tokens: TokenSet, nowMs: number, marginSeconds: number): boolean {
  if (tokens.expiresAt === undefined) return false;
  const margin = Math.min(marginSeconds, (tokens.expiresIn ?? 0) / 2);
  return nowMs / 1000 >= tokens.expiresAt - margin;
}

/** Whether the access token is past its end. */
export function isExpired(tokens: TokenSet, nowMs: number): boolean {
  return tokens.expiresAt !== undefined && nowMs / 1000 >= tokens.expiresAt;
}

type Fields = [
  format: 1,
  loginId: string,
  version: number,
  accessToken: string,
  refreshToken: string | null,
  expiresAt: number | null,
  expiresIn: number | null,
  scope: string,
  idToken: string,
  /** Claims of the login that a refreshed ID Token lacks. */
  keptClaims: Partial<IdTokenClaims> | null,
];

/** As text. The claims are read back from the ID Token, which holds nearly all of them. */
export function serializeTokenRecord(record: TokenRecord): string {
  const { tokens } = record;
  const fields: Fields = [
    1,
    record.loginId,
    record.version,
    tokens.accessToken,
    tokens.refreshToken ?? null,
    tokens.expiresAt ?? null,
    tokens.expiresIn ?? null,
    tokens.scope,
    tokens.idToken,
    keptClaims(tokens),
  ];
  return JSON.stringify(fields);
}

/** Reads what {@link serializeTokenRecord} wrote and a seal protected; `undefined` for another format. */
export function parseTokenRecord(text: string): TokenRecord | undefined {
  const fields = JSON.parse(text) as Fields;
  if (fields[0] !== 1) return undefined;
  return {
    loginId: fields[1],
    version: fields[2],
    tokens: {
      accessToken: fields[3],
      refreshToken: fields[4] ?? undefined,
      expiresAt: fields[5] ?? undefined,
      expiresIn: fields[6] ?? undefined,
      scope: fields[7],
      idToken: fields[8],
      claims: freeze({ ...fields[9], ...decodeClaims(fields[8]) }),
    },
  };
}

/** Several requests of a session are given the same claims. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}

function keptClaims(tokens: TokenSet): Partial<IdTokenClaims> | null {
  const inToken = decodeClaims(tokens.idToken);
  const kept = Object.entries(tokens.claims).filter(([name]) => !(name in inToken));
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

/** The payload of an ID Token that was verified before it was stored. */
function decodeClaims(idToken: string): IdTokenClaims {
  return JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
