import type { AuthorizationDetail } from '../authorization-details.ts';
import { ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { AcceptedResponse } from './authorization-response.ts';
import { type DpopKey, dpopKeyOf } from './dpop.ts';
import { readGrantedDetails } from './granted-details.ts';
import { checkNonce, verifyIdToken } from './id-token.ts';
import type { IdTokenClaims, UserinfoClaims } from './id-token-claims.ts';
import type { Provider } from './provider.ts';
import { requestTokens, type TokenResponse } from './token-endpoint.ts';
import { checkTokenHash } from './token-hash.ts';
import { resolveTarget, scopeTokens, targetParameters } from './token-target.ts';
import type { Transaction } from './transaction.ts';

/** An access token, and what is known of it. */
export interface AccessTokenSet {
  readonly accessToken: string;
  /** Epoch seconds; `undefined` where the OP does not say. */
  readonly expiresAt: number | undefined;
  /** Seconds the access token lives from its issue on. */
  readonly expiresIn: number | undefined;
  readonly scope: string;
}

/** What belongs to a login, whatever API its access tokens are for. */
export interface GrantTokens {
  readonly claims: IdTokenClaims;
  /** Without encryption: RP-Initiated Logout 4 has the client decrypt it before it is a hint. */
  readonly idToken: string;
  readonly refreshToken: string | undefined;
  /** When that was issued: epoch seconds. */
  readonly refreshIssuedAt: number;
}

/** What few logins bring beside their tokens. */
export interface LoginFindings {
  /** What `loadUserinfo` names. */
  readonly userinfo?: Partial<UserinfoClaims> | undefined;
  /** What the OP has granted of the option `authorizationDetails`; a refresh may change it. */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined;
  /** What all its tokens are bound to, where they are. */
  readonly dpop?: DpopKey | undefined;
  /** Whether all its tokens came where `certificateBoundAccessTokens` was on: none of them is good without a certificate. */
  readonly isCertificateBound?: true | undefined;
}

/** Tokens of the token endpoint, every check passed: the only ones that are ever kept. */
export type TokenSet = GrantTokens & AccessTokenSet & LoginFindings;

/**
 * Exchanges the code and verifies what comes back.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#HybridTokenEndpoint Core 3.3.3}
 * @throws {@link ProviderError} when the token endpoint fails or refuses
 * @throws {@link ValidationError} one code for each check
 */
export async function exchangeCode(
  accepted: AcceptedResponse,
  transaction: Transaction,
  provider: Provider,
  options: ResolvedOptions,
): Promise<TokenSet> {
  const dpop = options.dpop && dpopKeyOf(transaction.seed, options.dpop);
  const parameters = {
    code: accepted.code,
    redirect_uri: transaction.redirectUri,
    code_verifier: transaction.codeVerifier,
    ...targetParameters(resolveTarget({}, options)),
  };
  const response = await requestTokens(provider, 'authorization_code', parameters, dpop);
  if (options.profile === 'fapi1-advanced') checkGrantedScope(response, options);
  const { unverifiedIdToken } = response;
  if (unverifiedIdToken === undefined) {
    throw new ValidationError(
      'ERR_OIDC_ID_TOKEN_MISSING',
      'Core 3.3.3.3',
      'the token response must have an ID Token; it has none',
    );
  }
  const discovered = await provider.discovered();
  const { claims, alg, jws } = await verifyIdToken(unverifiedIdToken, discovered, options);
  checkNonce(claims, transaction.nonce);
  const hashes = [
    ['c_hash', accepted.code, 'Core 3.3.3.6'],
    ['at_hash', response.accessToken, 'Core 3.1.3.8'],
  ] as const;
  for (const [claim, value, section] of hashes) {
    // Optional on this channel, checked where present.
    checkTokenHash({ claim, found: claims[claim], value, alg, isRequired: false, section });
  }
  // Core 3.3.3.6: iss and sub MUST be the same in both ID Tokens. iss of either was held against
  // the configured issuer.
  if (accepted.expectedSub !== undefined && claims.sub !== accepted.expectedSub) {
    throw new ValidationError(
      'ERR_OIDC_ID_TOKENS_SUB',
      'Core 3.3.3.6',
      'the ID Tokens of the authorization response and of the token response name different subjects',
    );
  }
  const details = readGrantedDetails(response.unverifiedDetails, transaction.detailTypes ?? []);
  return {
    ...(details === undefined ? {} : { authorizationDetails: details }),
    ...accessTokenOf(response, options.scope, options),
    refreshToken: response.refreshToken,
    refreshIssuedAt: Math.floor(options.now() / 1000),
    claims,
    idToken: jws,
    ...(dpop === undefined ? {} : { dpop }),
    ...certificateBinding(options),
  };
}

/** FAPI 1.0 Baseline 5.2.3: as requested, or less. Others may name what was granted as they like. */
function checkGrantedScope(
  { scope }: TokenResponse,
  { scope: requested }: Pick<ResolvedOptions, 'scope'>,
): void {
  const asked = scopeTokens(requested);
  if (scopeTokens(scope).every((token) => asked.includes(token))) return;
  throw new ValidationError(
    'ERR_OIDC_SCOPE',
    'FAPI 1.0 Baseline 5.2.3',
    'the scope of the token response must be what was asked for, or less',
  );
}

/** What is noted of tokens that came with these options: those from before the option are bound to nothing. */
export function certificateBinding({
  certificateBoundAccessTokens,
}: Pick<ResolvedOptions, 'certificateBoundAccessTokens'>): Pick<
  LoginFindings,
  'isCertificateBound'
> {
  return { isCertificateBound: certificateBoundAccessTokens ? true : undefined };
}

/** The access token of a response. RFC 6749 5.1: scope may be left out where it is as requested. */
export function accessTokenOf(
  response: TokenResponse,
  requestedScope: string,
  options: Pick<ResolvedOptions, 'now'>,
): AccessTokenSet {
  const { accessToken, expiresIn, scope = requestedScope } = response;
  const expiresAt =
    expiresIn === undefined ? undefined : Math.floor(options.now() / 1000 + expiresIn);
  return { accessToken, expiresAt, expiresIn, scope };
}
