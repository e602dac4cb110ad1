import * as client from 'openid-client';
import type { Provider } from './provider.ts';

/**
 * Ends a grant at the OP, so that a refresh token that somebody copied is worth nothing any more.
 * Does nothing at an OP without such an endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2.1 RFC 7009 section 2.1}
 */
export async function revokeRefreshToken(provider: Provider, refreshToken: string): Promise<void> {
  const { configuration, metadata } = await provider.discovered();
  if (metadata.revocation_endpoint === undefined) return;
  await client.tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
}
