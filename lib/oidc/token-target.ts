import { type AuthorizationDetail, readAuthorizationDetails } from '../authorization-details.ts';
import { OptionsError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { isResourceUri } from '../resource-uri.ts';

/**
 * What an access token is for: one API, and what may be done there. Without `resource` and
 * `audience` it is the API that the login itself asked for.
 */
export interface TokenTarget {
  /** Absolute URI of the API, RFC 8707. Wire name: `resource`. */
  resource?: string | undefined;
  /** Identifier of the API at OPs that take Auth0's parameter. Wire name: `audience`. */
  audience?: string | undefined;
  /** Space-separated; no more than the login was granted. Wire name: `scope`. */
  scope?: string | undefined;
  /** No more than the login was granted. Wire name: `authorization_details` (RFC 9396). */
  authorizationDetails?: readonly AuthorizationDetail[] | undefined;
  /**
   * Whether the token is had by token exchange (RFC 8693), for the login's access token, and not by its refresh token:
   * for APIs that the login was not asked for. @default false
   */
  exchange?: boolean | undefined;
  /** Of a token exchange. Wire name: `requested_token_type`, without its prefix. @default 'access_token' */
  requestedTokenType?: 'access_token' | 'jwt' | undefined;
}

/** RFC 8693 3: names of the types that are used in the `Authorization` header of a call. */
export const tokenTypes = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const;

/** A {@link TokenTarget} that was checked. */
export interface ResolvedTarget {
  /** Names the target among those of a login; empty for the token of the login itself. */
  readonly key: string;
  readonly resource: string | undefined;
  readonly audience: string | undefined;
  readonly scope: string | undefined;
  /** As JSON. */
  readonly details?: string;
  /** There with token exchange. */
  readonly requestedTokenType?: string | undefined;
}

const targetNames = [
  'resource',
  'audience',
  'scope',
  'authorizationDetails',
  'exchange',
  'requestedTokenType',
] as const;

/** Those that are no text. */
const otherNames = ['authorizationDetails', 'exchange', 'requestedTokenType'];

/**
 * Checks a target.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_UNKNOWN`
 */
export function resolveTarget(
  target: TokenTarget,
  options: Pick<ResolvedOptions, 'resources' | 'audience'>,
): ResolvedTarget {
  for (const [name, value] of Object.entries(target)) {
    if (!(targetNames as readonly string[]).includes(name)) {
      throw new OptionsError(
        'ERR_OIDC_OPTION_UNKNOWN',
        name,
        `"${name}" does not name an API; known are ${targetNames.join(', ')}`,
      );
    }
    if (otherNames.includes(name)) continue;
    if (value === undefined || (typeof value === 'string' && value.trim() === value && value)) {
      continue;
    }
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      name,
      `"${name}" must be a non-empty string without space around it`,
    );
  }
  if (target.resource !== undefined && !isResourceUri(target.resource)) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'resource',
      '"resource" must be an absolute URI without a fragment, such as "https://api.example"',
    );
  }
  const requestedTokenType = readExchange(target);
  if (requestedTokenType === undefined) return normalized(target, options);
  const { resource, audience } = target;
  const scope = scopeTokens(target.scope).sort().join(' ') || undefined;
  const key = JSON.stringify([resource ?? '', audience ?? '', scope ?? '', requestedTokenType]);
  return { key, resource, audience, scope, requestedTokenType };
}

/** The type of token to exchange for; `undefined` where nothing is to be exchanged. */
function readExchange({
  exchange = false,
  requestedTokenType,
  authorizationDetails,
}: TokenTarget): string | undefined {
  if (typeof exchange !== 'boolean' || (!exchange && requestedTokenType !== undefined)) {
    const message = '"exchange" must be true or false, and true with "requestedTokenType"';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'exchange', message);
  }
  if (!exchange) return undefined;
  if (authorizationDetails !== undefined) {
    const message = '"authorizationDetails" go with the refresh token, not with "exchange"';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'authorizationDetails', message);
  }
  const type = requestedTokenType ?? 'access_token';
  if (Object.hasOwn(tokenTypes, type)) return tokenTypes[type];
  const message = `"requestedTokenType" must be one of ${Object.keys(tokenTypes).join(', ')}`;
  throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'requestedTokenType', message);
}

/** The same API by another spelling is the same target, and costs no second token. */
function normalized(
  target: TokenTarget,
  { resources, audience }: Pick<ResolvedOptions, 'resources' | 'audience'>,
): ResolvedTarget {
  const details =
    target.authorizationDetails && readAuthorizationDetails(target.authorizationDetails);
  const scope = scopeTokens(target.scope).sort().join(' ') || undefined;
  const ofLogin = { resource: resources[0], audience: undefined };
  const isOfLogin =
    (target.resource ?? resources[0]) === resources[0] &&
    (target.audience ?? audience) === audience;
  const { resource, audience: wanted } = isOfLogin
    ? ofLogin
    : { resource: target.resource, audience: target.audience };
  const isLogins = isOfLogin && scope === undefined && details === undefined;
  const names = [resource ?? '', wanted ?? '', scope ?? '', ...(details ? [details] : [])];
  return {
    key: isLogins ? '' : JSON.stringify(names),
    resource,
    audience: wanted,
    scope,
    ...(details === undefined ? {} : { details: JSON.stringify(details) }),
  };
}

/** The values of a `scope`. RFC 6749 3.3. */
export function scopeTokens(scope: string | undefined): string[] {
  return [...new Set((scope ?? '').split(' ').filter(Boolean))];
}

/** As parameters of a token request. */
export function targetParameters(target: ResolvedTarget): Record<string, string> {
  const { resource, audience, scope, details } = target;
  return {
    ...(details === undefined ? {} : { authorization_details: details }),
    ...(resource === undefined ? {} : { resource }),
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scope }),
  };
}
