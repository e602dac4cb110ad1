import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../bounded-map.ts';
import type { EventLogin } from '../events.ts';
import { type AccessTokenSet, certificateBinding, type TokenSet } from '../oidc/code-exchange.ts';
import { authTimeOf } from '../oidc/enforced-claims.ts';
import type { RefreshedTokens } from '../oidc/refresh-grant.ts';
import type { ResolvedTarget } from '../oidc/token-target.ts';
import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';

/** What is kept of one login: the code-exchanged tokens and the claims of the ID Token. */
export interface TokenRecord {
  /** Names the login; the session carries the same, so that a record serves its own login only. */
  readonly loginId: string;
  /** Counts the writes of this record. */
  readonly version: number;
  /** The login's tokens; the access token is for the API that the login itself asked for. */
  readonly tokens: TokenSet;
  /** When the user signed in, by the clock of the OP: `auth_time`, else `iat`, and never later than that; epoch seconds. */
  readonly loggedInAt: number;
  /** Access tokens for other APIs, by the keys of their targets. */
  readonly apiTokens: ReadonlyMap<string, AccessTokenSet>;
}

/** Targets of one login that are kept; a program names few. */
const maxApiTokens = 20;

/** The first record of a login. */
export function createTokenRecord(tokens: TokenSet): TokenRecord {
  const loginId = randomBytes(12).toString('base64url');
  return {
    loginId,
    version: 1,
    tokens,
    loggedInAt: authTimeOf(tokens.claims, tokens.claims.iat) ?? tokens.claims.iat,
    apiTokens: new Map(),
  };
}

/** The access token that a record has for a target, fresh or not. */
export function accessTokenFor(
  record: TokenRecord,
  target: ResolvedTarget,
): AccessTokenSet | undefined {
  return target.key === '' ? record.tokens : record.apiTokens.get(target.key);
}

/** As events name it. */
export function eventLogin({ loginId, tokens }: TokenRecord, flow: string): EventLogin {
  return { flow, loginId, sub: tokens.claims.sub };
}

/** What the session itself keeps of a login: enough to recognize it, nothing to use. */
export interface LoginMark {
  /** `loginId` of the record beside the session. */
  readonly id: string;
  /** Recognizes the same user at the next login. */
  readonly user: string;
  /** Recognizes the session that it was made for: applications copy whole sessions. */
  readonly session: string;
  /** Finds the session by that at the OP, where the OP ends sessions. */
  readonly sid?: string;
  /** Of which tenant the login is. */
  readonly tenant?: string;
}

export function loginMark(record: TokenRecord, sessionId: string): LoginMark {
  const { iss, sub } = record.tokens.claims;
  return {
    id: record.loginId,
    user: userDigest(iss, sub),
    session: shortDigest(sessionId, 8),
  };
}

/** The mark of a login that is found by its subject and by its session at the OP. */
export function indexedLoginMark(record: TokenRecord, sessionId: string): LoginMark {
  const { iss, sid } = record.tokens.claims;
  const mark = loginMark(record, sessionId);
  return typeof sid === 'string' ? { ...mark, sid: sidDigest(iss, sid) } : mark;
}

/** `user` of a mark: recognizes a subject without naming it. */
export function userDigest(issuer: string, sub: string): string {
  return shortDigest(JSON.stringify([issuer, sub]), 16);
}

/** `sid` of a mark. */
export function sidDigest(issuer: string, sid: string): string {
  return shortDigest(JSON.stringify([issuer, 'sid', sid]), 16);
}

/** Whether a mark was made for this session, and is no copy from another. */
export function isMarkOf(mark: LoginMark, sessionId: string): boolean {
  return mark.session === shortDigest(sessionId, 8);
}

/** The record after a refresh for a target. */
export function renewTokenRecord(
  record: TokenRecord,
  { grant, access }: RefreshedTokens,
  target: ResolvedTarget,
): TokenRecord {
  const tokens = { ...record.tokens, ...grant, ...(target.key === '' ? access : {}) };
  const apiTokens =
    target.key === '' ? record.apiTokens : withApiToken(record.apiTokens, target.key, access);
  return { ...record, version: record.version + 1, tokens, apiTokens };
}

/** The record with a token that was had in exchange for the login's. */
export function withExchangedToken(
  record: TokenRecord,
  access: AccessTokenSet,
  { key }: ResolvedTarget,
  options: Pick<ResolvedOptions, 'certificateBoundAccessTokens'>,
): TokenRecord {
  const tokens = { ...record.tokens, ...certificateBinding(options) };
  const apiTokens = withApiToken(record.apiTokens, key, access);
  return { ...record, version: record.version + 1, tokens, apiTokens };
}

/** Whether a thief of the tokens could use them, although the options want them bound: they are from before these. */
export function isUnbound(
  { tokens }: TokenRecord,
  {
    dpop,
    certificateBoundAccessTokens,
  }: Pick<ResolvedOptions, 'dpop' | 'certificateBoundAccessTokens'>,
): boolean {
  if (dpop !== undefined && tokens.dpop === undefined) return true;
  return certificateBoundAccessTokens && tokens.isCertificateBound !== true;
}

function withApiToken(
  apiTokens: TokenRecord['apiTokens'],
  key: string,
  access: AccessTokenSet,
): TokenRecord['apiTokens'] {
  const tokens = new BoundedMap<string, AccessTokenSet>(maxApiTokens);
  for (const [other, token] of apiTokens) tokens.set(other, token);
  return tokens.set(key, access);
}

/** The record of a login that the application keeps although its grant is dead. */
export function withoutRefreshToken(record: TokenRecord): TokenRecord {
  const tokens = { ...record.tokens, refreshToken: undefined };
  return { ...record, version: record.version + 1, tokens };
}

/**
 * Whether the access token has to be renewed before it is used. A token without `expires_in` is
 * taken as good until an API refuses it. The margin never exceeds half the token's life, or a
 * short-lived token would be renewed at each request.
 */
export function isStale(tokens: AccessTokenSet, nowMs: number, marginSeconds: number): boolean {
  if (tokens.expiresAt === undefined) return false;
  const margin = Math.min(marginSeconds, (tokens.expiresIn ?? 0) / 2);
  return nowMs / 1000 >= tokens.expiresAt - margin;
}

/** Whether a login is past the end that the options give it. */
export function hasOutlived(
  { loggedInAt, tokens }: TokenRecord,
  options: Pick<
    ResolvedOptions,
    | 'absoluteLifetimeSeconds'
    | 'refreshTokenLifetimeSeconds'
    | 'endWithIdToken'
    | 'clockToleranceSeconds'
    | 'now'
  >,
): boolean {
  const now = options.now() / 1000;
  if (options.endWithIdToken && now >= tokens.claims.exp + options.clockToleranceSeconds) {
    return true;
  }
  const { absoluteLifetimeSeconds = Infinity, refreshTokenLifetimeSeconds = Infinity } = options;
  if (now >= tokens.refreshIssuedAt + refreshTokenLifetimeSeconds) return true;
  return now >= loggedInAt + absoluteLifetimeSeconds;
}

/** Whether the access token is past its end. */
export function isExpired(tokens: AccessTokenSet, nowMs: number): boolean {
  return tokens.expiresAt !== undefined && nowMs / 1000 >= tokens.expiresAt;
}
