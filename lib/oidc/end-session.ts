import { randomBytes } from 'node:crypto';
import type { ResolvedOptions } from '../options.ts';
import type { GrantTokens } from './code-exchange.ts';
import type { DiscoveredProvider } from './provider.ts';

/** A logout that the OP is asked to join. */
export interface EndSessionRequest {
  readonly url: string;
  /** Comes back with the browser and is compared. */
  readonly state: string;
}

/**
 * The request that ends the session at the OP; `undefined` where the OP has no such endpoint.
 *
 * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout RP-Initiated Logout 2}
 */
export function buildEndSessionRequest(
  provider: DiscoveredProvider,
  options: Pick<ResolvedOptions, 'clientId' | 'postLogoutRedirectUri' | 'endSessionParams'>,
  login: Pick<GrantTokens, 'idToken' | 'claims'> | undefined,
): EndSessionRequest | undefined {
  const endpoint = provider.metadata.end_session_endpoint;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined;
  const url = new URL(endpoint);
  // As good as its issuer, or the ID Token would go where none has come from.
  if (url.protocol !== 'https:' && url.protocol !== new URL(provider.metadata.issuer).protocol) {
    return undefined;
  }
  const state = randomBytes(16).toString('base64url');
  if (login !== undefined) {
    const further = Object.entries(options.endSessionParams(login.claims));
    for (const [name, value] of further) url.searchParams.set(name, value);
    url.searchParams.set('id_token_hint', login.idToken);
  }
  url.searchParams.set('client_id', options.clientId);
  url.searchParams.set('post_logout_redirect_uri', options.postLogoutRedirectUri);
  url.searchParams.set('state', state);
  return { url: url.href, state };
}
