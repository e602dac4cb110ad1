import type { ServerMetadata } from 'openid-client';
import {
  type ResolvedOptions,
  signatureAlgorithms,
  type TokenEndpointAuthMethod,
} from '../options.ts';

/** Something in which the OP's discovery document and the options do not fit together. */
export interface Advice {
  /** Code of the warning. */
  readonly code: string;
  /** Whether logins cannot succeed as long as it stays so. */
  readonly isFatal: boolean;
  readonly found: string;
  readonly change: string;
}

type Considered = Pick<
  ResolvedOptions,
  | 'responseType'
  | 'responseMode'
  | 'idTokenSignedResponseAlg'
  | 'clientSecret'
  | 'clientKeys'
  | 'tokenEndpointAuthMethod'
  | 'tokenEndpointAuthSigningAlg'
  | 'backchannelLogout'
  | 'frontchannelLogout'
>;

/**
 * What the discovery document says against the options. It may leave nearly everything out (Discovery 3);
 * then it says nothing against them.
 */
export function adviseOnMetadata(metadata: ServerMetadata, options: Considered): Advice[] {
  const advice: Advice[] = [];
  const { responseType, responseMode } = options;
  const method = methodOf(options);
  const types = metadata.response_types_supported?.map(inOrder);
  if (types && !types.includes(responseType)) {
    advice.push({
      code: 'OIDC_RESPONSE_TYPE',
      isFatal: true,
      found: `the OP does not list the response type "${responseType}"; it lists: ${list(types)}`,
      change:
        'enable it for this client at the OP (hybrid flow, or implicit grant), or set "responseType" to one that it lists and this library knows',
    });
  }
  const modes = metadata.response_modes_supported;
  if (modes && responseMode !== undefined && !modes.includes(responseMode)) {
    advice.push({
      code: 'OIDC_RESPONSE_MODE',
      isFatal: true,
      found: `the OP does not list the response mode "${responseMode}"; it lists: ${list(modes)}`,
      change: 'leave "responseMode" out: what the OP offers is then chosen by itself',
    });
  }
  const wanted = options.idTokenSignedResponseAlg ? [options.idTokenSignedResponseAlg] : null;
  const offered = metadata.id_token_signing_alg_values_supported;
  if (offered && !(wanted ?? signatureAlgorithms).some((alg) => offered.includes(alg))) {
    advice.push({
      code: 'OIDC_SIGNING_ALG',
      isFatal: true,
      found: `the OP lists no signature algorithm for ID Tokens that can be used; it lists: ${list(offered)}`,
      change: wanted
        ? 'set "idTokenSignedResponseAlg" to one that it lists, or leave it out'
        : 'let the OP sign by an asymmetric algorithm, such as RS256 or ES256',
    });
  }
  const methods = metadata.token_endpoint_auth_methods_supported;
  if (methods && method !== undefined && method !== 'none' && !methods.includes(method)) {
    advice.push({
      code: 'OIDC_AUTH_METHOD',
      isFatal: true,
      found: `the OP does not list the client authentication "${method}"; it lists: ${list(methods)}`,
      change: 'set "tokenEndpointAuthMethod" to the one that the client is registered with',
    });
  }
  const signs = assertionAlgOf(options);
  const algs: unknown = metadata.token_endpoint_auth_signing_alg_values_supported;
  if (signs !== undefined && Array.isArray(algs) && !algs.includes(signs)) {
    advice.push({
      code: 'OIDC_AUTH_SIGNING_ALG',
      isFatal: true,
      found: `the OP does not list ${signs}, by which this client signs its assertions; it lists: ${list(algs)}`,
      change:
        method === 'private_key_jwt'
          ? 'set "alg" of "clientKey" to one that it lists, or make another key'
          : 'set "tokenEndpointAuthSigningAlg" to one that it lists',
    });
  }
  const challenges = metadata.code_challenge_methods_supported;
  if (challenges && !challenges.includes('S256')) {
    advice.push({
      code: 'OIDC_PKCE',
      isFatal: false,
      found: `the OP does not list the code challenge method S256; it lists: ${list(challenges)}`,
      change:
        'let the OP take S256 for this client: the challenge is sent all the same, and where it is ignored the code is not bound to the login by it',
    });
  }
  for (const [channel, isOn] of [
    ['backchannel', options.backchannelLogout],
    ['frontchannel', options.frontchannelLogout],
  ] as const) {
    if (!isOn || metadata[`${channel}_logout_supported`] !== false) continue;
    advice.push({
      code: `OIDC_${channel.toUpperCase()}_LOGOUT`,
      isFatal: false,
      found: `"${channel}Logout" is on, and the OP says that it does not do it`,
      change: 'do not count on it: logins then end by their own lifetimes',
    });
  }
  return advice;
}

/** `undefined` where it is by the secret, and up to what the OP lists. */
function methodOf({
  tokenEndpointAuthMethod,
  clientSecret,
  clientKeys,
}: Considered): TokenEndpointAuthMethod | undefined {
  const isByKey = clientSecret === undefined && clientKeys.length > 0;
  return tokenEndpointAuthMethod ?? (isByKey ? 'private_key_jwt' : undefined);
}

/** What client assertions are signed by, if there are any. */
function assertionAlgOf(options: Considered): string | undefined {
  const method = methodOf(options);
  if (method === 'client_secret_jwt') return options.tokenEndpointAuthSigningAlg;
  return method === 'private_key_jwt' ? options.clientKeys[0]?.alg : undefined;
}

/** Names in the order of the specification, as the OP may list them in any. */
function inOrder(responseType: string): string {
  return responseType.split(' ').sort(byPlace).join(' ');
}

function byPlace(one: string, other: string): number {
  const places = ['code', 'id_token', 'token'];
  return places.indexOf(one) - places.indexOf(other);
}

/** The OP's words, as far as they can be names of the registries. */
function list(values: readonly unknown[]): string {
  const names = values.filter(
    (value) => typeof value === 'string' && /^[\w .-]{1,40}$/.test(value),
  );
  return names.slice(0, 12).join(', ') || 'nothing';
}
