import { ProviderError } from '../errors.ts';
import type { DiscoveredProvider } from '../oidc/provider.ts';
import { pushAuthorizationRequest } from '../oidc/pushed-request.ts';
import type { ResolvedOptions } from '../options.ts';
import { type Finding, fail, note, ok } from './finding.ts';

const about = 'pushed request';

/** What came of a pushed authorization request. */
export interface Pushed {
  readonly findings: readonly Finding[];
  /** What goes to the authorization endpoint in place of the request, where the OP demands that it is pushed. */
  readonly parameters: readonly (readonly [name: string, value: string])[] | undefined;
}

/** Where there is nobody to push a request as. */
export const nothingPushed: Pushed = { findings: [], parameters: undefined };

/**
 * Pushes an authorization request as this client, where the OP takes some: nobody is asked anything by it, and the
 * OP looks at credentials, redirect URI and scope at once (RFC 9126 2.1).
 */
export async function pushRequest(
  discovered: DiscoveredProvider,
  request: readonly (readonly [name: string, value: string])[],
  options: ResolvedOptions,
): Promise<Pushed> {
  const { metadata } = discovered;
  const isRequired = metadata.require_pushed_authorization_requests === true;
  if (metadata.pushed_authorization_request_endpoint === undefined && !isRequired) {
    return nothingPushed;
  }
  try {
    const parameters = await pushAuthorizationRequest(discovered, request, options);
    const found = `the OP takes one of this client${isRequired ? ', and demands them' : ': see the option "pushedAuthorizationRequests"'}`;
    return { findings: [ok(about, found)], parameters: isRequired ? parameters : undefined };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return { findings: [refused(error, isRequired, options)], parameters: undefined };
  }
}

function refused(error: ProviderError, isRequired: boolean, options: ResolvedOptions): Finding {
  const { redirectUri } = options;
  // The OP's words are not for a terminal, but names of errors that the registries have.
  const named = /^[a-z_]{1,60}$/.test(error.error ?? '') ? error.error : undefined;
  const found =
    named === undefined ? `the OP takes none: ${error.message}` : `the OP refuses it: ${named}`;
  const change: Partial<Record<string, string>> = {
    invalid_redirect_uri: `register exactly ${redirectUri}, or correct --base-url`,
    invalid_request: `look whether ${redirectUri} is registered, and whether the OP wants signed requests (the option "requestObject")`,
    invalid_scope: 'take out of "scope" what this client may not ask for',
    invalid_target: 'correct "resource"',
    unsupported_response_type: 'enable the response type for this client, or set "responseType"',
  };
  const advice = change[named ?? ''] ?? 'ask who runs the OP';
  // Where they are not demanded the library sends none unless it is told to.
  return isRequired ? fail(about, found, advice) : note(about, found, advice);
}
