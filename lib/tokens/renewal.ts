import {
  AuthenticationError,
  type HybridFlowError,
  ProviderError,
  ValidationError,
} from '../errors.ts';
import { publish, type RefreshEvent } from '../events.ts';
import type { AccessTokenSet } from '../oidc/code-exchange.ts';
import type { Provider } from '../oidc/provider.ts';
import { type RefreshedTokens, refreshTokens } from '../oidc/refresh-grant.ts';
import { revokeRefreshToken } from '../oidc/revocation.ts';
import { exchangeToken } from '../oidc/token-exchange.ts';
import { type ResolvedTarget, resolveTarget } from '../oidc/token-target.ts';
import type { RefreshFailure, ResolvedOptions } from '../options.ts';
import { endedMeanwhile, type RecordWriter, type Written } from './record-writer.ts';
import { destroyEntry } from './session-store.ts';
import {
  accessTokenFor,
  eventLogin,
  isExpired,
  isStale,
  renewTokenRecord,
  type TokenRecord,
  withExchangedToken,
  withoutRefreshToken,
} from './token-record.ts';
import type { StoredLogin, TokenStore } from './token-store.ts';

/** What a renewal is asked for. */
export interface RenewalRequest {
  readonly login: StoredLogin;
  readonly target: ResolvedTarget;
  /** An access token that an API has refused, though it had not expired. */
  readonly rejected: string | undefined;
}

interface Parts {
  readonly options: ResolvedOptions;
  readonly provider: Provider;
  readonly tokenStore: TokenStore;
  readonly writer: RecordWriter;
}

/**
 * Renews a record, under the lock. It is read again first: whoever had the lock before may have
 * renewed it, and a spent refresh token is never sent.
 *
 * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED`, `ERR_OIDC_LOGIN_REQUIRED`
 * @throws {@link ProviderError} when the OP fails
 */
export async function renewOnce(
  parts: Parts,
  request: RenewalRequest,
  isSecondTry = false,
): Promise<TokenRecord> {
  const { options, tokenStore, writer } = parts;
  const { login, target } = request;
  const stored = await tokenStore.read(login.place);
  if (stored === undefined && (await tokenStore.exists(login.place))) throw unreadable();
  if (stored?.loginId !== login.record.loginId) throw endedMeanwhile();
  const record = await writer.newest(login, stored);
  const present = accessTokenFor(record, target);
  const isWanted = present === undefined || present.accessToken === request.rejected;
  if (!isWanted && !isStale(present, options.now(), options.refreshMarginSeconds)) return record;
  if (target.requestedTokenType !== undefined) return exchangeOnce(parts, login, target);
  const { refreshToken } = record.tokens;
  if (refreshToken === undefined) return servedWithoutRefresh(record, present, options.now());
  const report = startReport(record, target, options);
  let refreshed: RefreshedTokens;
  try {
    refreshed = await refreshTokens(
      { ...record.tokens, refreshToken },
      parts.provider,
      options,
      target,
    );
  } catch (error) {
    return settleFailure(parts, login, record, present, error, report);
  }
  report('renewed');
  const kept = await keep(parts, login, renewTokenRecord(record, refreshed, target));
  if (!kept.isOutrun || isSecondTry) return kept.record;
  // The record of another writer may have no token for this target.
  return renewOnce(parts, request, true);
}

/**
 * Gets a token for that of the login, which is renewed first where its end is near. Whatever goes wrong with it
 * leaves the login as it is.
 */
async function exchangeOnce(
  parts: Parts,
  login: StoredLogin,
  target: ResolvedTarget,
): Promise<TokenRecord> {
  const { options, provider, writer } = parts;
  const ofLogin = resolveTarget({}, options);
  const record = await renewOnce(parts, { login, target: ofLogin, rejected: undefined });
  const access = await exchangeToken(record.tokens, provider, options, target);
  const exchanged = withExchangedToken(record, access, target, options);
  // Another writer's record may hold and have no such token: this one was given for this login all the same.
  await writer.write(login, exchanged);
  return exchanged;
}

async function keep(
  { options, provider, writer }: Parts,
  login: StoredLogin,
  renewed: TokenRecord,
): Promise<Written> {
  try {
    const written = await writer.write(login, renewed);
    if (written.isOutrun) publish('reuse', { login: eventLogin(renewed, options.sessionKey) });
    return written;
  } catch (error) {
    // Ended meanwhile: the logout has revoked the refresh token that it knew, and not this one.
    const { refreshToken = '' } = renewed.tokens;
    revokeRefreshToken(provider, refreshToken).catch(() => undefined);
    throw error;
  }
}

/** What a failed refresh does to the login: the application's decision, or the default. */
async function settleFailure(
  { options, tokenStore, writer }: Parts,
  login: StoredLogin,
  record: TokenRecord,
  present: AccessTokenSet | undefined,
  error: unknown,
  report: Report,
): Promise<TokenRecord> {
  const isGrantDead = isDeadGrant(error);
  if (!isGrantDead && !(error instanceof ProviderError)) throw error;
  const failure: RefreshFailure = { error, isGrantDead, claims: record.tokens.claims };
  const decision = options.onRefreshFailure?.(failure);
  // Whatever else a function of the application returns is no decision, and leaves the default.
  const isEnd = isGrantDead ? decision !== 'keep' : decision === 'end';
  report(isEnd ? 'ended' : 'unavailable', error);
  if (isEnd) {
    await tokenStore.remove(login.place);
    publish('logout', { login: eventLogin(record, options.sessionKey), by: 'op' });
    // The session too, whoever waits for this: an application that looks at its own session data,
    // as Passport does, must not find anybody signed in.
    await destroyEntry(login.place.store, login.place.sessionId);
    throw new AuthenticationError(
      'ERR_OIDC_LOGIN_ENDED',
      'the OP ended the grant, or answered a refresh for somebody else',
      error,
    );
  }
  if (!isGrantDead) throw error;
  const { record: kept } = await writer.write(login, withoutRefreshToken(record));
  return servedWithoutRefresh(kept, present, options.now());
}

/** `invalid_grant`, or a refreshed ID Token of somebody else: the refresh token is spent for nothing. */
function isDeadGrant(error: unknown): error is HybridFlowError {
  if (error instanceof ProviderError) return error.code === 'ERR_OIDC_GRANT_REFUSED';
  return error instanceof ValidationError;
}

function servedWithoutRefresh(
  record: TokenRecord,
  present: AccessTokenSet | undefined,
  nowMs: number,
): TokenRecord {
  if (present !== undefined && !isExpired(present, nowMs)) return record;
  // The first record of a login, and the OP gave no refresh token: the next login would end here too.
  if (present === undefined && record.version === 1) {
    throw new AuthenticationError(
      'ERR_OIDC_NO_REFRESH_TOKEN',
      'an access token for another API takes a refresh token, and the OP gave none; is offline_access in "scope"?',
    );
  }
  // No grant has died: the session stays, and the next login of the same user goes on with it.
  throw new AuthenticationError(
    'ERR_OIDC_LOGIN_REQUIRED',
    'there is no access token and no refresh token to get one with; is offline_access in "scope"?',
  );
}

/** Sealed by a process that has the next secret already; this one has to be given it too. */
function unreadable(): AuthenticationError {
  return new AuthenticationError(
    'ERR_OIDC_LOGIN_REQUIRED',
    'the record of this login was sealed by a secret that is not known here; add it behind the others first',
  );
}

type Report = (outcome: RefreshEvent['outcome'], error?: HybridFlowError) => void;

function startReport(
  record: TokenRecord,
  { resource, audience, scope }: ResolvedTarget,
  { sessionKey }: Pick<ResolvedOptions, 'sessionKey'>,
): Report {
  const startedAt = performance.now();
  return (outcome, error) => {
    publish('refresh', {
      login: eventLogin(record, sessionKey),
      target: { resource, audience, scope },
      outcome,
      error,
      durationSeconds: (performance.now() - startedAt) / 1000,
    });
  };
}
