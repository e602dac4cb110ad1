import * as client from 'openid-client';
import { ProviderError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { type DiscoveredProvider, isAsGoodAsIssuer } from './provider.ts';
import { translateError } from './translate-error.ts';

type Parameters = readonly (readonly [name: string, value: string])[];

/**
 * Whether authorization requests are pushed at this OP.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-5 RFC 9126 section 5}
 */
export function isPushed(
  { metadata }: Pick<DiscoveredProvider, 'metadata'>,
  { pushedAuthorizationRequests: wanted }: Pick<ResolvedOptions, 'pushedAuthorizationRequests'>,
): boolean {
  if (wanted === 'always' || metadata.require_pushed_authorization_requests === true) return true;
  return wanted === 'offered' && metadata.pushed_authorization_request_endpoint !== undefined;
}

/**
 * Sends an authorization request to the OP directly, as this client, and gives what the browser
 * brings in its place. Nobody can read or change it on the way, and a mistake in it is found before
 * the visitor leaves.
 *
 * A signed request goes alone: the OP takes nothing from beside it (RFC 9126 3).
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-2 RFC 9126 section 2}
 * @throws {@link ProviderError} `ERR_OIDC_PAR_REFUSED` and others
 */
export async function pushAuthorizationRequest(
  provider: Pick<DiscoveredProvider, 'configure' | 'metadata'>,
  parameters: Parameters,
  { clientId }: Pick<ResolvedOptions, 'clientId'>,
): Promise<[name: string, value: string][]> {
  if (!isAsGoodAsIssuer(provider.metadata.pushed_authorization_request_endpoint, provider)) {
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'pushed_authorization_request',
      'the discovery document has no "pushed_authorization_request_endpoint" that is an https URL, and authorization requests have to be pushed',
    );
  }
  const signed = parameters.filter(([name]) => name === 'request');
  const sent = signed.length > 0 ? signed : parameters;
  let unverifiedLifetime: unknown;
  const configuration = provider.configure(false, (fetch) => async (endpoint, init) => {
    const response = await fetch(endpoint, init);
    unverifiedLifetime = await readLifetime(response);
    return response;
  });
  let url: URL;
  try {
    // RFC 9126 2.2: 201 with a request_uri and the seconds it lives, both REQUIRED.
    url = await client.buildAuthorizationUrlWithPAR(
      configuration,
      new URLSearchParams(sent.map(([name, value]): [string, string] => [name, value])),
    );
  } catch (error) {
    throw translateError(error, 'pushed_authorization_request');
  }
  // The browser is on its way there at once; one that comes too late is for the OP to refuse.
  if (!Number.isSafeInteger(unverifiedLifetime) || Number(unverifiedLifetime) <= 0) {
    throw new ProviderError(
      'ERR_OIDC_PROVIDER_RESPONSE',
      'pushed_authorization_request',
      "the OP's answer to the pushed request cannot be used: expires_in must be a positive integer",
    );
  }
  // RFC 9126 4: the two are the whole request.
  return [
    ['client_id', clientId],
    ['request_uri', url.searchParams.getAll('request_uri').at(-1) ?? ''],
  ];
}

/** `expires_in` as it came: openid-client takes a text for a number, and 0. */
async function readLifetime(response: Response): Promise<unknown> {
  try {
    const answer: unknown = await response.clone().json();
    return (answer as Record<string, unknown> | null)?.['expires_in'];
  } catch {
    // Not JSON: openid-client says so.
    return undefined;
  }
}
