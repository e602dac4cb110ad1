import { ProviderError, ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { type AccessTokenSet, accessTokenOf, type TokenSet } from './code-exchange.ts';
import type { Provider } from './provider.ts';
import { requestTokens, type TokenResponse } from './token-endpoint.ts';
import { type ResolvedTarget, targetParameters, tokenTypes } from './token-target.ts';

/**
 * Gets another token for a login's access token: for an API behind, in the name of the user. It lives no longer
 * than the one that it was given for.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 section 2}
 * @throws {@link ProviderError} `ERR_OIDC_EXCHANGE_REFUSED`, `ERR_OIDC_TARGET_REFUSED`, and others when the OP fails
 * @throws {@link ValidationError} `ERR_OIDC_ISSUED_TOKEN_TYPE`, `ERR_OIDC_TOKEN_TYPE`
 */
export async function exchangeToken(
  subject: TokenSet,
  provider: Provider,
  options: Pick<ResolvedOptions, 'now'>,
  target: ResolvedTarget,
): Promise<AccessTokenSet> {
  const wanted = target.requestedTokenType ?? tokenTypes.access_token;
  const parameters = {
    subject_token: subject.accessToken,
    subject_token_type: tokenTypes.access_token,
    requested_token_type: wanted,
    ...targetParameters(target),
  };
  const response = await request(provider, parameters, subject);
  // 2.2.1: REQUIRED. Another type than was asked for is for another use.
  if (response.issuedTokenType !== wanted) {
    throw new ValidationError(
      'ERR_OIDC_ISSUED_TOKEN_TYPE',
      'RFC 8693 2.2.1',
      'the answer to a token exchange must have the issued_token_type that was asked for',
    );
  }
  const issued = accessTokenOf(response, target.scope ?? '', options);
  return withinLifeOf(subject, issued, Math.floor(options.now() / 1000));
}

async function request(
  provider: Provider,
  parameters: Record<string, string>,
  { dpop }: TokenSet,
): Promise<TokenResponse> {
  const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
  try {
    return await requestTokens(provider, grantType, parameters, dpop);
  } catch (error) {
    const isRefusal =
      error instanceof ProviderError &&
      ['ERR_OIDC_GRANT_REFUSED', 'ERR_OIDC_TOKEN_ENDPOINT_ERROR'].includes(error.code);
    if (!isRefusal) throw error;
    // No grant of the login has died by it, whatever the OP calls it.
    const message = 'the OP gives no token in exchange; see the field "error"';
    const { cause, error: code, error_description } = error;
    const details = { cause, error: code, error_description };
    throw new ProviderError('ERR_OIDC_EXCHANGE_REFUSED', 'token', message, details);
  }
}

function withinLifeOf(
  { expiresAt: end = Number.POSITIVE_INFINITY }: AccessTokenSet,
  issued: AccessTokenSet,
  now: number,
): AccessTokenSet {
  if ((issued.expiresAt ?? Number.POSITIVE_INFINITY) <= end || end === Number.POSITIVE_INFINITY) {
    return issued;
  }
  return { ...issued, expiresAt: end, expiresIn: Math.max(0, end - now) };
}
