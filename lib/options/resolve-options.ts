import type { Lock } from '../lock.ts';
import { defaultOptions, type HybridFlowOptions, type ResolvedOptions } from '../options.ts';
import { invalid, readFunction, readNumber, required } from './option-values.ts';
import { algorithmsOfProfile, checkProfile, readProfile, withProfile } from './profiles.ts';
import {
  type ResolvedCredentials,
  resolveCredentials,
  resolveRequestObject,
} from './resolve-credentials.ts';
import { resolveLogout } from './resolve-logout.ts';
import { resolveRequest } from './resolve-request.ts';
import { resolveSession } from './resolve-session.ts';
import { resolveTokens } from './resolve-tokens.ts';
import { resolveUrls } from './resolve-urls.ts';
import { tenantDigest } from './tenant-secrets.ts';
import { refuseUnknown } from './unknown-option.ts';

/** Names of all options of `hybridFlow()`. */
export const knownOptions: readonly string[] = [
  ...Object.keys(defaultOptions),
  'issuer',
  'profile',
  'clientId',
  'clientSecret',
  'baseUrl',
  'secret',
  'responseMode',
  'audience',
  'resource',
  'authorizationParams',
  'loginParams',
  'maxAge',
  'acrValues',
  'authorizationDetails',
  'claims',
  'organization',
  'allowedOrganizations',
  'endSessionUrl',
  'clientKey',
  'tokenEndpointAuthMethod',
  'tokenEndpointAuthSigningAlg',
  'clientCertificate',
  'certificateBoundAccessTokens',
  'dpop',
  'requestObject',
  'idTokenSignedResponseAlg',
  'authorizationSignedResponseAlg',
  'loadUserinfo',
  'userinfoSignedResponseAlg',
  'clientEncryptionKey',
  'encryptedResponses',
  'initiateLogin',
  'backchannelLogout',
  'frontchannelLogout',
  'indexSessions',
  'endSessionParams',
  'idleLifetimeSeconds',
  'absoluteLifetimeSeconds',
  'refreshTokenLifetimeSeconds',
  'endWithIdToken',
  'transactionCookie',
  'carryOver',
  'trustedOrigins',
  'lock',
  'verify',
  'onError',
  'onRefreshFailure',
  'fetch',
  'now',
  'dangerouslyAllowInsecureRequests',
];

/**
 * Checks the options, fills in defaults and freezes the result; the caller's object is not touched.
 *
 * @param tenantId whose flow it is, where flows are chosen for each request
 * @throws {@link OptionsError} that names the option and never a secret's value
 */
export function resolveOptions(given: HybridFlowOptions, tenantId?: string): ResolvedOptions {
  if (typeof given !== 'object' || given === null) {
    throw invalid('options', 'an object', given);
  }
  refuseUnknown(given, knownOptions);
  const profile = readProfile(given);
  const options = withProfile(given, profile);
  const urls = resolveUrls(options);
  const credentials = resolveCredentials(options);
  const request = resolveRequest(options);
  refuseUnboundToken(request, credentials);
  const { refreshMarginSeconds, clockToleranceSeconds, httpTimeoutSeconds } = defaultOptions;

  const resolved: ResolvedOptions = {
    profile,
    signatureAlgorithms: algorithmsOfProfile(profile),
    ...urls,
    clientId: required(options, 'clientId'),
    tenant: tenantId === undefined ? undefined : tenantDigest(tenantId),
    ...credentials,
    requestObject: resolveRequestObject(options, credentials),
    ...request,
    ...resolveTokens(options),
    ...resolveSession(options, new URL(urls.baseUrl), tenantId),
    ...resolveLogout(options),
    refreshMarginSeconds: readNumber(options, 'refreshMarginSeconds', refreshMarginSeconds, 0),
    clockToleranceSeconds: readNumber(options, 'clockToleranceSeconds', clockToleranceSeconds, 0),
    httpTimeoutSeconds: readNumber(options, 'httpTimeoutSeconds', httpTimeoutSeconds, 1, 60),
    callbackBodyLimitBytes: readNumber(
      options,
      'callbackBodyLimitBytes',
      defaultOptions.callbackBodyLimitBytes,
      1024,
    ),
    lock: readLock(options),
    verify: readFunction(options, 'verify'),
    onError: readFunction(options, 'onError'),
    onRefreshFailure: readFunction(options, 'onRefreshFailure'),
    fetch: readFunction(options, 'fetch') ?? globalThis.fetch,
    customFetch: readFunction(options, 'fetch'),
    now: readFunction(options, 'now') ?? Date.now,
  };
  checkProfile(resolved);
  return Object.freeze(resolved);
}

/** RFC 9449 and RFC 8705 bind what the token endpoint gives; a token that goes by the browser is anybody's. */
function refuseUnboundToken(
  { responseType }: Pick<ResolvedOptions, 'responseType'>,
  { dpop, certificateBoundAccessTokens }: ResolvedCredentials,
): void {
  const isBound = dpop !== undefined || certificateBoundAccessTokens;
  if (!isBound || !responseType.split(' ').includes('token')) return;
  const option = dpop === undefined ? 'certificateBoundAccessTokens' : 'dpop';
  const wanted = `"code" or "code id_token" with "${option}": no access token by the browser is bound`;
  throw invalid('responseType', wanted, responseType);
}

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` */
export function readLock(options: Pick<HybridFlowOptions, 'lock'>): Lock | undefined {
  const { lock } = options;
  if (lock !== undefined && typeof lock?.acquire !== 'function') {
    throw invalid('lock', 'an object with a function "acquire", such as redisLock(client)', lock);
  }
  return lock;
}
