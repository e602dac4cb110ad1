import { isDeepStrictEqual } from 'node:util';
import { type HybridFlowError, ProviderError, ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import {
  type AccessTokenSet,
  accessTokenOf,
  certificateBinding,
  type GrantTokens,
  type LoginFindings,
} from './code-exchange.ts';
import { readGrantedDetails } from './granted-details.ts';
import { type IdToken, verifyIdToken } from './id-token.ts';
import type { IdTokenClaims } from './id-token-claims.ts';
import type { Provider } from './provider.ts';
import { checkRequestedClaims, essentialClaims } from './requested-claims.ts';
import { requestTokens, type TokenResponse } from './token-endpoint.ts';
import { checkTokenHash } from './token-hash.ts';
import { type ResolvedTarget, targetParameters } from './token-target.ts';

/** What a refresh starts from. */
export interface RefreshableTokens extends GrantTokens, LoginFindings {
  readonly refreshToken: string;
  /** What was granted to the login. */
  readonly scope: string;
}

/** What a refresh gives: an access token for one API, and what becomes of the login. */
export interface RefreshedTokens {
  readonly grant: GrantTokens & Pick<LoginFindings, 'authorizationDetails' | 'isCertificateBound'>;
  readonly access: AccessTokenSet;
}

/**
 * Spends a refresh token, for an access token that is good for `target`.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens Core 12}
 * @throws {@link ProviderError} `ERR_OIDC_GRANT_REFUSED` when the grant is dead; others when the OP fails
 * @throws {@link ValidationError} when the refreshed ID Token is not the same user's
 */
export async function refreshTokens(
  current: RefreshableTokens,
  provider: Provider,
  options: ResolvedOptions,
  target: ResolvedTarget,
): Promise<RefreshedTokens> {
  const parameters = {
    refresh_token: current.refreshToken,
    ...targetParameters(target),
  };
  const response = await requestTokens(provider, 'refresh_token', parameters, current.dpop);
  const access = accessTokenOf(response, target.scope ?? current.scope, options);
  // RFC 6749 6: an OP that does not rotate sends none, and the old one stays good.
  const refreshToken = response.refreshToken ?? current.refreshToken;
  const isNew = refreshToken !== current.refreshToken;
  const refreshIssuedAt = isNew ? Math.floor(options.now() / 1000) : current.refreshIssuedAt;
  const { idToken: idTokenBefore, claims: claimsBefore } = current;
  const details = {
    ...refreshedDetails(response, current, target),
    ...certificateBinding(options),
  };
  const unchanged = {
    ...details,
    idToken: idTokenBefore,
    claims: claimsBefore,
    refreshToken,
    refreshIssuedAt,
  };
  const { unverifiedIdToken } = response;
  // Core 12.2: the refresh response might not contain an ID Token.
  if (unverifiedIdToken === undefined) return { access, grant: unchanged };

  const verified = await verifyIfKeysCanBeHad(unverifiedIdToken, provider, options);
  if (verified === undefined) return { access, grant: unchanged };
  const { claims, alg, jws: idToken } = verified;
  checkSameLogin(claims, current.claims);
  checkTokenHash({
    claim: 'at_hash',
    found: claims['at_hash'],
    value: response.accessToken,
    alg,
    isRequired: false,
    section: 'Core 3.1.3.8',
  });
  // A scope that was narrowed for one call brings the claims of that scope, and takes away no others.
  const isNarrowed = target.scope !== undefined;
  const kept = isNarrowed
    ? { ...current.claims, ...claims }
    : keepLoginClaims(claims, current.claims, options);
  checkSameDemands(kept, current.claims, options);
  return { access, grant: { ...details, idToken, claims: kept, refreshToken, refreshIssuedAt } };
}

/** RFC 9396 7: those of the new token, where the response has them. A token for one call says nothing of the login. */
function refreshedDetails(
  { unverifiedDetails }: TokenResponse,
  { authorizationDetails = [] }: LoginFindings,
  target: ResolvedTarget,
): Pick<LoginFindings, 'authorizationDetails'> {
  if (target.key !== '' || unverifiedDetails === undefined) return {};
  const types = authorizationDetails.map(({ type }) => type);
  const details = readGrantedDetails(unverifiedDetails, types);
  return details === undefined ? {} : { authorizationDetails: details };
}

/**
 * The refresh token is spent by now. Keys that cannot be had at this moment must not cost the login,
 * so the ID Token then counts as absent: the tokens themselves came from the token endpoint, by TLS.
 */
async function verifyIfKeysCanBeHad(
  unverifiedIdToken: string,
  provider: Provider,
  options: ResolvedOptions,
): Promise<IdToken | undefined> {
  try {
    return await verifyIdToken(unverifiedIdToken, await provider.discovered(), options);
  } catch (error) {
    const { code } = error as HybridFlowError;
    if (error instanceof ProviderError || code === 'ERR_OIDC_ID_TOKEN_KEY') return undefined;
    throw error;
  }
}

/** Core 12.2. iss was held against the configuration, as with every ID Token. */
function checkSameLogin(claims: IdTokenClaims, before: IdTokenClaims): void {
  if (claims.sub !== before.sub) {
    throw refusal('ERR_OIDC_ID_TOKENS_SUB', 'sub must be the same as before');
  }
  if (audiences(claims) !== audiences(before) || claims.azp !== before.azp) {
    throw refusal('ERR_OIDC_ID_TOKENS_AUD', 'aud and azp must be the same as before');
  }
  if (
    before.auth_time !== undefined &&
    (claims.auth_time ?? before.auth_time) !== before.auth_time
  ) {
    throw refusal('ERR_OIDC_ID_TOKENS_AUTH_TIME', 'auth_time must be that of the login');
  }
  if (claims['org_id'] !== undefined && claims['org_id'] !== before['org_id']) {
    throw refusal('ERR_OIDC_ORGANIZATION', 'org_id must be that of the login');
  }
  if (claims.nonce !== undefined && claims.nonce !== before.nonce) {
    throw refusal('ERR_OIDC_ID_TOKEN_NONCE', 'nonce, where present, must be that of the login');
  }
}

function audiences({ aud }: IdTokenClaims): string {
  return JSON.stringify([...new Set([aud].flat())].sort());
}

/** Claims of the login itself, to which those come that are essential: a refreshed ID Token may lack them, and they still hold. */
const loginClaims = ['nonce', 'auth_time', 'acr', 'amr', 'sid', 'org_id', 'org_name'] as const;

function keepLoginClaims(
  claims: IdTokenClaims,
  before: IdTokenClaims,
  options: Pick<ResolvedOptions, 'claims'>,
): IdTokenClaims {
  const names = [...loginClaims, ...essentialClaims(options.claims.idToken)];
  const kept = names.filter((name) => before[name] !== undefined);
  return { ...Object.fromEntries(kept.map((name) => [name, before[name]])), ...claims };
}

/** What was asked for at login is not to change by a refresh. */
function checkSameDemands(
  claims: IdTokenClaims,
  before: IdTokenClaims,
  options: Pick<ResolvedOptions, 'acrValues' | 'claims'>,
): void {
  const changed = Object.entries(options.claims.idToken).filter(
    ([name]) => !isDeepStrictEqual(claims[name], before[name]),
  );
  checkRequestedClaims(claims, Object.fromEntries(changed), 'ID Token');
  const { acr } = claims;
  if (
    options.acrValues.length > 0 &&
    acr !== before.acr &&
    !options.acrValues.includes(String(acr))
  ) {
    throw refusal('ERR_OIDC_ACR', 'acr must still be one of acrValues');
  }
}

function refusal(
  code:
    | 'ERR_OIDC_ID_TOKENS_SUB'
    | 'ERR_OIDC_ID_TOKENS_AUD'
    | 'ERR_OIDC_ID_TOKENS_AUTH_TIME'
    | 'ERR_OIDC_ACR'
    | 'ERR_OIDC_ORGANIZATION'
    | 'ERR_OIDC_ID_TOKEN_NONCE',
  wanted: string,
): ValidationError {
  return new ValidationError(code, 'Core 12.2', `the refreshed ID Token is refused: ${wanted}`);
}
