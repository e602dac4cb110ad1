import * as client from 'openid-client';
import { ProviderError, ValidationError } from '../errors.ts';
import { type DpopKey, dpopThumbprint } from './dpop.ts';
import { sendProven } from './dpop-request.ts';
import { unverifiedIdTokenName } from './id-token-aside.ts';
import type { Provider } from './provider.ts';
import { checkTokenBinding } from './token-binding.ts';
import { translateError } from './translate-error.ts';

/** An answer of the token endpoint: well-formed, its ID Token not yet verified. */
export interface TokenResponse {
  readonly accessToken: string;
  /** Seconds; `undefined` where the OP does not say. */
  readonly expiresIn: number | undefined;
  readonly refreshToken: string | undefined;
  /** Scope in the response; `undefined` where it is as requested. */
  readonly scope: string | undefined;
  readonly unverifiedIdToken: string | undefined;
  readonly unverifiedDetails: unknown;
  /** Of a token exchange. */
  readonly issuedTokenType: unknown;
}

/** What is asked for with. */
export type GrantType =
  | 'authorization_code'
  | 'refresh_token'
  | 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * One request to the token endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5 RFC 6749 section 5}
 * @throws {@link ProviderError} on every failure of the OP, `ERR_OIDC_GRANT_REFUSED` on `invalid_grant`
 * @param dpop the key that the tokens are to be bound to
 * @throws {@link ValidationError} `ERR_OIDC_TOKEN_TYPE` when the token is of another kind,
 *   `ERR_OIDC_TOKEN_BINDING` when it has to be bound and is not
 */
export async function requestTokens(
  provider: Pick<Provider, 'discovered'>,
  grantType: GrantType,
  parameters: Record<string, string>,
  dpop?: DpopKey,
): Promise<TokenResponse> {
  const discovered = await provider.discovered();
  const isRefresh = grantType === 'refresh_token';
  const configuration = isRefresh ? discovered.patientConfiguration : discovered.configuration;
  // A certificate may be renewed while this request is under way.
  const before = discovered.boundTo?.();
  let response: client.TokenEndpointResponse;
  try {
    const send = (by: client.Configuration) =>
      client.genericGrantRequest(by, grantType, parameters);
    response = await (dpop === undefined
      ? send(configuration)
      : sendProven(discovered, { key: dpop, isPatient: isRefresh }, send));
  } catch (error) {
    throw translateError(error, 'token');
  }
  checkTokenType(response.token_type, dpop);
  // RFC 6750 2.1: what cannot stand in a header would fail later, at every call to the API.
  if (!/^[\x21-\x7e]+$/.test(response.access_token)) {
    throw new ProviderError(
      'ERR_OIDC_PROVIDER_RESPONSE',
      'token',
      'the access_token of the token response has characters that cannot stand in a header',
    );
  }
  if (dpop !== undefined) checkTokenBinding(response.access_token, 'jkt', [dpopThumbprint(dpop)]);
  if (discovered.boundTo !== undefined) {
    const thumbprints = [before ?? '', discovered.boundTo()];
    checkTokenBinding(response.access_token, 'x5t#S256', thumbprints);
  }
  const unverifiedIdToken = response[unverifiedIdTokenName];
  if (unverifiedIdToken !== undefined && typeof unverifiedIdToken !== 'string') {
    throw new ValidationError(
      'ERR_OIDC_ID_TOKEN_MALFORMED',
      'Core 3.1.3.3',
      'the id_token of the token response must be a string',
    );
  }
  return {
    accessToken: response.access_token,
    expiresIn: response.expires_in,
    refreshToken: response.refresh_token,
    scope: response.scope,
    unverifiedIdToken,
    unverifiedDetails: response['authorization_details'],
    issuedTokenType: response['issued_token_type'],
  };
}

/** Core 3.1.3.3: Bearer, in any case; openid-client makes it lower case. RFC 9449 5: DPoP, or an OP that knows no keys has left ours out. */
function checkTokenType(tokenType: string, dpop: DpopKey | undefined): void {
  const wanted = dpop === undefined ? 'Bearer' : 'DPoP';
  if (tokenType === wanted.toLowerCase()) return;
  throw new ValidationError(
    'ERR_OIDC_TOKEN_TYPE',
    dpop === undefined ? 'Core 3.1.3.3' : 'RFC 9449 5',
    `the token response must have the token_type ${wanted}`,
  );
}
