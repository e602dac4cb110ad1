import { readAuthorizationDetails } from '../authorization-details.ts';
import { isQueryParameter, readAuthorizationParams } from '../authorization-parameters.ts';
import { OptionsError } from '../errors.ts';
import { isOfOrganization } from '../oidc/enforced-claims.ts';
import {
  type AuthorizationRequestMethod,
  defaultOptions,
  type HybridFlowOptions,
  type PushedAuthorizationRequests,
  type ResolvedOptions,
  type ResponseMode,
  type ResponseType,
} from '../options.ts';
import { isResourceUri } from '../resource-uri.ts';
import { invalid, readOneOf, readOptionalNumber, readText } from './option-values.ts';
import { readClaims } from './requested-claims.ts';

const responseTypes: readonly ResponseType[] = [
  'code',
  'code id_token',
  'code token',
  'code id_token token',
];

const responseModes: readonly ResponseMode[] = [
  'form_post',
  'query',
  'fragment',
  'form_post.jwt',
  'query.jwt',
  'fragment.jwt',
  'jwt',
];

const requestMethods: readonly AuthorizationRequestMethod[] = ['get', 'post'];

const pushed: readonly PushedAuthorizationRequests[] = ['required', 'offered', 'always'];

/** What authorization requests ask for. */
type RequestOptions = Pick<
  ResolvedOptions,
  | 'responseType'
  | 'responseMode'
  | 'authorizationRequestMethod'
  | 'pushedAuthorizationRequests'
  | 'scope'
  | 'audience'
  | 'resources'
  | 'authorizationParams'
  | 'loginParams'
  | 'maxAge'
  | 'acrValues'
  | 'claims'
  | 'authorizationDetails'
  | 'organization'
  | 'allowedOrganizations'
>;

/**
 * Checks what logins ask for, and what is enforced of it.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function resolveRequest(options: HybridFlowOptions): RequestOptions {
  const responseType =
    readOneOf('responseType', options.responseType, responseTypes) ?? defaultOptions.responseType;
  return {
    responseType,
    responseMode: readResponseMode(options, responseType),
    authorizationRequestMethod:
      readOneOf('authorizationRequestMethod', options.authorizationRequestMethod, requestMethods) ??
      defaultOptions.authorizationRequestMethod,
    pushedAuthorizationRequests:
      readOneOf('pushedAuthorizationRequests', options.pushedAuthorizationRequests, pushed) ??
      defaultOptions.pushedAuthorizationRequests,
    scope: readScope(options),
    audience: readText(options, 'audience'),
    resources: readResources(options),
    authorizationParams: readParams(options),
    loginParams: readLoginParams(options),
    maxAge: readOptionalNumber(options, 'maxAge', 0),
    acrValues: (readText(options, 'acrValues') ?? '').split(' ').filter(Boolean),
    claims: readClaims(options),
    authorizationDetails: readDetails(options),
    organization: readText(options, 'organization'),
    allowedOrganizations: readAllowedOrganizations(options),
  };
}

function readResponseMode(
  options: HybridFlowOptions,
  responseType: ResponseType,
): ResponseMode | undefined {
  const mode = readOneOf('responseMode', options.responseMode, responseModes);
  if (mode?.startsWith('query') && responseType !== 'code') {
    // Multiple Response Types 5: tokens are not to be sent in a query. JARM 2.3.1 would let encrypted
    // ones through, which are too long for the URLs of many servers.
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'responseMode',
      `"responseMode" may be "${mode}" with the response type "code" only, not with "${responseType}"`,
    );
  }
  return mode ?? (responseType === 'code' ? 'query' : undefined);
}

function readScope(options: HybridFlowOptions): string {
  const scope = readText(options, 'scope') ?? defaultOptions.scope;
  if (!scope.split(' ').includes('openid')) {
    throw invalid('scope', 'a space-separated list that contains "openid"', scope);
  }
  return scope;
}

function readResources(options: HybridFlowOptions): readonly string[] {
  const { resource = [] } = options;
  const resources: readonly unknown[] = Array.isArray(resource) ? resource : [resource];
  return Object.freeze(
    resources.map((item) => {
      if (isResourceUri(item)) return item;
      throw invalid('resource', 'an absolute URI without a fragment, or an array of them', item);
    }),
  );
}

const noParams: ResolvedOptions['authorizationParams'] = async () => ({});

function readParams(options: HybridFlowOptions): ResolvedOptions['authorizationParams'] {
  const { authorizationParams } = options;
  if (authorizationParams === undefined) return noParams;
  if (typeof authorizationParams === 'function') {
    return async (req) => readAuthorizationParams(await authorizationParams(req));
  }
  const checked = readAuthorizationParams(authorizationParams);
  return async () => checked;
}

const noDetails: ResolvedOptions['authorizationDetails'] = async () => [];

function readDetails(options: HybridFlowOptions): ResolvedOptions['authorizationDetails'] {
  const { authorizationDetails } = options;
  if (authorizationDetails === undefined) return noDetails;
  if (typeof authorizationDetails === 'function') {
    return async (req) => readAuthorizationDetails(await authorizationDetails(req));
  }
  const checked = readAuthorizationDetails(authorizationDetails);
  return async () => checked;
}

function readLoginParams(options: HybridFlowOptions): readonly string[] {
  const { loginParams = [] } = options;
  if (!Array.isArray(loginParams) || !loginParams.every((name) => typeof name === 'string')) {
    throw invalid('loginParams', 'an array of names of authorization parameters', loginParams);
  }
  const reserved = loginParams.find((name) => !isQueryParameter(name));
  if (reserved !== undefined) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'loginParams',
      `"loginParams" cannot have "${reserved}": this library sets it`,
    );
  }
  return Object.freeze([...loginParams]);
}

function readAllowedOrganizations(
  options: HybridFlowOptions,
): ResolvedOptions['allowedOrganizations'] {
  const { allowedOrganizations } = options;
  if (allowedOrganizations === undefined || typeof allowedOrganizations === 'function') {
    return allowedOrganizations;
  }
  const isText = (item: unknown): boolean => typeof item === 'string' && item !== '';
  if (!Array.isArray(allowedOrganizations) || !allowedOrganizations.every(isText)) {
    const wanted = 'an array of ids and names of organizations, or a function';
    throw invalid('allowedOrganizations', wanted, allowedOrganizations);
  }
  const allowed: readonly string[] = [...allowedOrganizations];
  return ({ claims }) => allowed.some((organization) => isOfOrganization(claims, organization));
}
