import { ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { AcceptedResponse } from './authorization-response.ts';
import { checkNonce, verifyIdToken } from './id-token.ts';
import type { IdTokenClaims } from './id-token-claims.ts';
import type { Provider } from './provider.ts';
import { requestTokens, type TokenResponse } from './token-endpoint.ts';
import { checkTokenHash } from './token-hash.ts';
import type { Transaction } from './transaction.ts';

/** Tokens of the token endpoint, every check passed: the only ones that are ever kept. */
export interface TokenSet {
  readonly claims: IdTokenClaims;
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Epoch seconds; `undefined` where the OP does not say. */
  readonly expiresAt: number | undefined;
  /** Seconds the access token lives from its issue on. */
  readonly expiresIn: number | undefined;
  readonly scope: string;
}

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
  const response = await requestTokens(provider, 'authorization_code', {
    code: accepted.code,
    redirect_uri: transaction.redirectUri,
    code_verifier: transaction.codeVerifier,
  });
  const idToken = response.unverifiedIdToken;
  if (idToken === undefined) {
    throw new ValidationError(
      'ERR_OIDC_ID_TOKEN_MISSING',
      'Core 3.3.3.3',
      'the token response must have an ID Token; it has none',
    );
  }
  const { claims, alg } = await verifyIdToken(idToken, await provider.discovered(), options);
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
  return {
    ...tokenTimes(response, options),
    ...tokenValues(response, options.scope),
    claims,
    idToken,
  };
}

/** When the access token of a response expires. */
export function tokenTimes(
  response: TokenResponse,
  options: Pick<ResolvedOptions, 'now'>,
): Pick<TokenSet, 'expiresAt' | 'expiresIn'> {
  const { expiresIn } = response;
  if (expiresIn === undefined) return { expiresAt: undefined, expiresIn: undefined };
  return { expiresAt: Math.floor(options.now() / 1000 + expiresIn), expiresIn };
}

function tokenValues(
  response: TokenResponse,
  requestedScope: string,
): Pick<TokenSet, 'accessToken' | 'refreshToken' | 'scope'> {
  return {
    accessToken: response.accessToken,
    refreshToken: response.refreshToken,
    // RFC 6749 5.1: scope may be left out where it is as requested.
    scope: response.scope ?? requestedScope,
  };
}
