import { isReservedParameter } from '../authorization-parameters.ts';
import { readClientCertificate } from '../client-certificate.ts';
import { OptionsError } from '../errors.ts';
import type {
  DpopAlgorithm,
  HybridFlowOptions,
  RequestObjectOptions,
  ResolvedOptions,
  TokenEndpointAuthMethod,
} from '../options.ts';
import {
  readClientKeys,
  readSecretKey,
  type SigningKey,
  secretAlgorithms,
} from '../signing-key.ts';
import { invalid, readBoolean, readOneOf } from './option-values.ts';

const authMethods: readonly TokenEndpointAuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
];

const tlsMethods: readonly (TokenEndpointAuthMethod | undefined)[] = [
  'tls_client_auth',
  'self_signed_tls_client_auth',
];

/** What the client proves itself and signs with. */
export type ResolvedCredentials = Pick<
  ResolvedOptions,
  | 'clientSecret'
  | 'clientKeys'
  | 'tokenEndpointAuthMethod'
  | 'tokenEndpointAuthSigningAlg'
  | 'clientCertificate'
  | 'certificateBoundAccessTokens'
  | 'dpop'
>;

/**
 * Checks the client's credentials, which no message shows.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`
 */
export function resolveCredentials(options: HybridFlowOptions): ResolvedCredentials {
  const { clientSecret, clientKey } = options;
  if (clientSecret !== undefined && (typeof clientSecret !== 'string' || clientSecret === '')) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'clientSecret',
      '"clientSecret" must be a non-empty string; is the environment variable set?',
    );
  }
  const clientKeys = clientKey === undefined ? [] : readClientKeys(clientKey);
  const method = readOneOf('tokenEndpointAuthMethod', options.tokenEndpointAuthMethod, authMethods);
  const alg = readOneOf(
    'tokenEndpointAuthSigningAlg',
    options.tokenEndpointAuthSigningAlg,
    secretAlgorithms,
  );
  const certificates = resolveCertificate(options, method);
  checkMethod(method, clientSecret, clientKeys.length > 0);
  if (alg !== undefined && method !== 'client_secret_jwt') {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'tokenEndpointAuthSigningAlg',
      '"tokenEndpointAuthSigningAlg" goes with the "tokenEndpointAuthMethod" "client_secret_jwt" only; a "clientKey" has its own',
    );
  }
  const signingAlg = alg ?? 'HS256';
  if (method === 'client_secret_jwt') readSecretKey(clientSecret ?? '', signingAlg);
  return {
    clientSecret,
    clientKeys,
    tokenEndpointAuthMethod: method,
    tokenEndpointAuthSigningAlg: signingAlg,
    ...certificates,
    dpop: readDpop(options),
  };
}

function resolveCertificate(
  options: HybridFlowOptions,
  method: TokenEndpointAuthMethod | undefined,
): Pick<ResolvedCredentials, 'clientCertificate' | 'certificateBoundAccessTokens'> {
  const { clientCertificate } = options;
  const isBound = readBoolean(options, 'certificateBoundAccessTokens') ?? false;
  if (clientCertificate === undefined && (isBound || tlsMethods.includes(method))) {
    const why = isBound ? '"certificateBoundAccessTokens"' : `"${method}"`;
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'clientCertificate',
      `"clientCertificate" is required with ${why}`,
    );
  }
  return {
    clientCertificate: clientCertificate && readClientCertificate(clientCertificate),
    certificateBoundAccessTokens: isBound,
  };
}

const dpopAlgorithms: readonly DpopAlgorithm[] = ['ES256', 'EdDSA', 'Ed25519'];

function readDpop({ dpop }: HybridFlowOptions): DpopAlgorithm | undefined {
  if (dpop === undefined || dpop === false) return undefined;
  if (dpop === true) return 'ES256';
  if (typeof dpop !== 'object' || dpop === null || Array.isArray(dpop)) {
    throw invalid('dpop', 'true, false or an object', dpop);
  }
  const odd = Object.keys(dpop).find((name) => name !== 'alg');
  if (odd !== undefined) {
    const message = `"dpop.${odd}" is not an option; known is alg`;
    throw new OptionsError('ERR_OIDC_OPTION_UNKNOWN', `dpop.${odd}`, message);
  }
  return readOneOf('dpop.alg', dpop.alg, dpopAlgorithms) ?? 'ES256';
}

function checkMethod(
  method: TokenEndpointAuthMethod | undefined,
  clientSecret: string | undefined,
  hasKey: boolean,
): void {
  if (method === 'none' || tlsMethods.includes(method)) return;
  if (method === 'private_key_jwt' && hasKey) return;
  if (method === 'private_key_jwt') {
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'clientKey',
      '"clientKey" is required with the "tokenEndpointAuthMethod" "private_key_jwt"',
    );
  }
  if (clientSecret !== undefined || (method === undefined && hasKey)) return;
  throw new OptionsError(
    'ERR_OIDC_OPTION_MISSING',
    'clientSecret',
    '"clientSecret" is required, unless there is a "clientKey" or "tokenEndpointAuthMethod" says that there is none',
  );
}

const requestObjectOptions: readonly string[] = [
  'signedWith',
  'alg',
  'claims',
  'lifetimeSeconds',
  'typ',
];

/**
 * Checks how authorization requests are signed.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`,
 *   `ERR_OIDC_OPTION_UNKNOWN`
 */
export function resolveRequestObject(
  options: HybridFlowOptions,
  credentials: ResolvedCredentials,
): ResolvedOptions['requestObject'] {
  const given: unknown = options.requestObject;
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('requestObject', 'an object', given);
  }
  const odd = Object.keys(given).find((name) => !requestObjectOptions.includes(name));
  if (odd !== undefined) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_UNKNOWN',
      `requestObject.${odd}`,
      `"requestObject.${odd}" is not an option; known are ${requestObjectOptions.join(', ')}`,
    );
  }
  const { typ = 'oauth-authz-req+jwt', lifetimeSeconds = 300 } = given as RequestObjectOptions;
  if (typeof typ !== 'string' || typ === '') {
    throw invalid('requestObject.typ', 'a non-empty string', typ);
  }
  if (!Number.isSafeInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > 3600) {
    throw invalid(
      'requestObject.lifetimeSeconds',
      'a whole number from 1 to 3600',
      lifetimeSeconds,
    );
  }
  return Object.freeze({
    key: keyOf(given, credentials),
    typ,
    lifetimeSeconds,
    claims: claimsReader(given),
  });
}

function keyOf(given: RequestObjectOptions, credentials: ResolvedCredentials): SigningKey {
  const { clientSecret, clientKeys } = credentials;
  const [clientKey] = clientKeys;
  const signedWith =
    readOneOf('requestObject.signedWith', given.signedWith, ['client_secret', 'client_key']) ??
    (clientKey === undefined ? 'client_secret' : 'client_key');
  const alg = readOneOf('requestObject.alg', given.alg, secretAlgorithms);
  const missing = (option: string): OptionsError =>
    new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      option,
      `"${option}" is required to sign a "requestObject" with "${signedWith}"`,
    );
  if (signedWith === 'client_key') {
    if (clientKey === undefined) throw missing('clientKey');
    if (alg !== undefined) {
      throw invalid('requestObject.alg', 'absent with "client_key", which has its own', alg);
    }
    return clientKey;
  }
  if (clientSecret === undefined) throw missing('clientSecret');
  return readSecretKey(clientSecret, alg ?? 'HS256');
}

function claimsReader({
  claims,
}: RequestObjectOptions): NonNullable<ResolvedOptions['requestObject']>['claims'] {
  if (typeof claims === 'function') {
    return async (req) => checkClaims(await claims(req));
  }
  const checked = checkClaims(claims ?? {});
  return async () => checked;
}

/** Claims of the JWT itself. */
const ownClaims: readonly string[] = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

function checkClaims(claims: unknown): Readonly<Record<string, unknown>> {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw invalid('requestObject.claims', 'an object', claims);
  }
  const refused = Object.keys(claims).find(
    (name) => ownClaims.includes(name) || isReservedParameter(name),
  );
  if (refused !== undefined) {
    const option = `requestObject.claims.${refused}`;
    const message = `"${option}" cannot be set here: this library sets "${refused}"`;
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', option, message);
  }
  return { ...claims };
}
