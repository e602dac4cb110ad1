import { randomBytes } from 'node:crypto';
import { OptionsError } from '../errors.ts';
import type { LogoutAtOp, ResolvedOptions } from '../options.ts';
import type { GrantTokens } from './code-exchange.ts';
import { type DiscoveredProvider, isAsGoodAsIssuer } from './provider.ts';

/** A logout that the OP is asked to join. */
export interface EndSessionRequest {
  readonly url: string;
  /** Comes back with the browser and is compared. */
  readonly state: string;
}

/**
 * The request that ends the session at the OP, or what the application makes of it; `undefined` where
 * the OP has no such endpoint.
 *
 * @throws {@link OptionsError} when `endSessionUrl` gives no URL of the OP's kind
 * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout RP-Initiated Logout 2}
 */
export function buildEndSessionRequest(
  provider: DiscoveredProvider,
  options: Pick<
    ResolvedOptions,
    'clientId' | 'postLogoutRedirectUri' | 'endSessionParams' | 'endSessionUrl'
  >,
  login: Pick<GrantTokens, 'idToken' | 'claims'> | undefined,
): EndSessionRequest | undefined {
  const { clientId, postLogoutRedirectUri, endSessionUrl } = options;
  const state = randomBytes(16).toString('base64url');
  const logout = { clientId, idTokenHint: login?.idToken, postLogoutRedirectUri, state };
  const standard = standardUrl(
    provider,
    logout,
    login === undefined ? {} : options.endSessionParams(login.claims),
  );
  if (endSessionUrl === undefined)
    return standard === undefined ? undefined : { url: standard, state };
  const url = endSessionUrl({ ...logout, url: standard });
  if (url === undefined) return undefined;
  if (isAsGoodAsIssuer(url, provider)) return { url: new URL(url).href, state };
  throw new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    'endSessionUrl',
    '"endSessionUrl" must give an absolute https URL, or undefined',
  );
}

function standardUrl(
  provider: DiscoveredProvider,
  { clientId, idTokenHint, postLogoutRedirectUri, state }: Omit<LogoutAtOp, 'url'>,
  further: Readonly<Record<string, string>>,
): string | undefined {
  const endpoint = provider.metadata.end_session_endpoint;
  if (!isAsGoodAsIssuer(endpoint, provider)) return undefined;
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(further)) url.searchParams.set(name, value);
  if (idTokenHint !== undefined) url.searchParams.set('id_token_hint', idTokenHint);
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('post_logout_redirect_uri', postLogoutRedirectUri);
  url.searchParams.set('state', state);
  return url.href;
}
