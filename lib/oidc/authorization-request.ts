import { createHash } from 'node:crypto';
import type { ResolvedOptions, ResponseMode } from '../options.ts';
import { dpopKeyOf, dpopThumbprint } from './dpop.ts';
import type { DiscoveredProvider } from './provider.ts';
import { isPushed, pushAuthorizationRequest } from './pushed-request.ts';
import { signRequestObject } from './request-object.ts';
import { claimsParameter } from './requested-claims.ts';
import type { Transaction } from './transaction.ts';

/**
 * How the OP shall answer: as configured, else by form_post, or in the fragment where its discovery
 * document lists response modes without form_post. Where it lists none, form_post is tried all the
 * same: many OPs leave the list out.
 *
 * @see {@link https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html Multiple Response Types 2.1}
 */
export function chooseResponseMode(
  { metadata }: DiscoveredProvider,
  { responseMode }: Pick<ResolvedOptions, 'responseMode'>,
): ResponseMode {
  if (responseMode !== undefined) return responseMode;
  const offered = metadata.response_modes_supported ?? ['form_post'];
  return offered.includes('form_post') ? 'form_post' : 'fragment';
}

/** An authorization request, to be brought to the OP by the browser. */
export type AuthorizationRequest =
  | { readonly method: 'get'; readonly url: string }
  | {
      readonly method: 'post';
      readonly url: string;
      readonly parameters: readonly (readonly [name: string, value: string])[];
    };

/** What a request has besides what the flow itself sets. */
export interface FurtherParameters {
  readonly parameters: Readonly<Record<string, string>>;
  /** Claims of the request object that are no parameters. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The request that the browser brings to the OP: as a URL to go to, or as a form to post. The OP has
 * to take both (Core 3.1.2.1).
 *
 * State, nonce and PKCE go with every response type: each binds something else (the answer, the
 * ID Tokens, the code), and none is optional here.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#HybridAuthRequest Core 3.3.2.1}
 */
export async function buildAuthorizationRequest(
  provider: DiscoveredProvider,
  options: Pick<
    ResolvedOptions,
    | 'clientId'
    | 'scope'
    | 'audience'
    | 'resources'
    | 'claims'
    | 'dpop'
    | 'authorizationRequestMethod'
    | 'pushedAuthorizationRequests'
    | 'requestObject'
    | 'now'
    | 'clockToleranceSeconds'
  >,
  transaction: Transaction,
  { parameters: further, claims }: FurtherParameters,
): Promise<AuthorizationRequest> {
  const url = new URL(provider.authorizationEndpoint);
  const parameters: Record<string, string> = {
    ...further,
    client_id: options.clientId,
    scope: options.scope,
    response_type: transaction.responseType,
    redirect_uri: transaction.redirectUri,
    state: transaction.state,
    nonce: transaction.nonce,
    code_challenge: createHash('sha256').update(transaction.codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  // Multiple Response Types 2.1: `query` is the default of `code`, and is not sent.
  if (transaction.responseMode !== 'query') parameters['response_mode'] = transaction.responseMode;
  if (transaction.maxAge !== undefined) parameters['max_age'] = String(transaction.maxAge);
  if (transaction.acrValues.length > 0) parameters['acr_values'] = transaction.acrValues.join(' ');
  if (transaction.organization !== undefined) parameters['organization'] = transaction.organization;
  if (options.dpop !== undefined) {
    // RFC 9449 10: nobody else can have the code exchanged, with another key.
    parameters['dpop_jkt'] = dpopThumbprint(dpopKeyOf(transaction.seed, options.dpop));
  }
  const claimsAsked = claimsParameter(options.claims, transaction.acrValues);
  if (claimsAsked !== undefined) parameters['claims'] = claimsAsked;
  if (options.audience !== undefined) parameters['audience'] = options.audience;
  const all: [string, string][] = [
    ...Object.entries(parameters),
    // RFC 8707 2: the one parameter that may come several times.
    ...options.resources.map((resource): [string, string] => ['resource', resource]),
  ];
  if (options.requestObject !== undefined) {
    const { issuer } = provider.metadata;
    const signed = await signRequestObject(issuer, all, claims, options, options.requestObject);
    all.push(['request', signed]);
  }
  const brought = isPushed(provider, options)
    ? await pushAuthorizationRequest(provider, all, options)
    : all;
  // The endpoint may have a query of its own, which is kept (RFC 6749 3.1) but for these names.
  for (const [name] of brought) url.searchParams.delete(name);
  if (options.authorizationRequestMethod === 'post') {
    return { method: 'post', url: url.href, parameters: brought };
  }
  for (const [name, value] of brought) url.searchParams.append(name, value);
  return { method: 'get', url: url.href };
}
