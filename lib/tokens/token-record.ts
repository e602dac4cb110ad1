import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../bounded-map.ts';
import type { EventLogin } from '../events.ts';
import type { AccessTokenSet, TokenSet } from '../oidc/code-exchange.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
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
  /** When the user signed in, by the clock of the OP: `auth_time`, else `iat`; epoch seconds. */
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
    loggedInAt: tokens.claims.auth_time ?? tokens.claims.iat,
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
  const tokenEnd = tokens.claims.exp + options.clockToleranceSeconds;
  if (options.endWithIdToken && now >= tokenEnd) return true;
  const { absoluteLifetimeSeconds = Infinity, refreshTokenLifetimeSeconds = Infinity } = options;
  if (now >= tokens.refreshIssuedAt + refreshTokenLifetimeSeconds) return true;
  return now >= loggedInAt + absoluteLifetimeSeconds;
}

/** Whether the access token is past its end. */
export function isExpired(tokens: AccessTokenSet, nowMs: number): boolean {
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
  loggedInAt: number,
  refreshIssuedAt: number,
  /** Left out by logins that use one API only. */
  apiTokens?: readonly ApiTokenFields[],
];

type ApiTokenFields = [
  key: string,
  accessToken: string,
  expiresAt: number | null,
  expiresIn: number | null,
  scope: string,
];

/** As text. The claims are read back from the ID Token, which holds nearly all of them. */
export function serializeTokenRecord(record: TokenRecord): string {
  const { tokens, apiTokens } = record;
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
    record.loggedInAt,
    tokens.refreshIssuedAt,
  ];
  if (apiTokens.size > 0) fields.push([...apiTokens].map(apiTokenFields));
  return JSON.stringify(fields);
}

function apiTokenFields([key, token]: [string, AccessTokenSet]): ApiTokenFields {
  const { accessToken, expiresAt = null, expiresIn = null, scope } = token;
  return [key, accessToken, expiresAt, expiresIn, scope];
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
      refreshIssuedAt: fields[11],
      claims: freeze({ ...fields[9], ...decodeClaims(fields[8]) }),
    },
    loggedInAt: fields[10],
    apiTokens: new Map(fields[12]?.map(parseApiToken)),
  };
}

function parseApiToken(fields: ApiTokenFields): [string, AccessTokenSet] {
  const [key, accessToken, expiresAt, expiresIn, scope] = fields;
  const token = {
    accessToken,
    expiresAt: expiresAt ?? undefined,
    expiresIn: expiresIn ?? undefined,
    scope,
  };
  return [key, token];
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
