import { OptionsError } from '../errors.ts';
import { signJwt } from '../oidc/signed-jwt.ts';
import { invalid, readOneOf } from '../options/option-values.ts';
import type { HybridFlowOptions } from '../options.ts';
import { readSecretKey, type SecretAlgorithm, secretAlgorithms } from '../signing-key.ts';
import { mergeParams, type PresetOptions, readHost, withPreset, wrongPlace } from './preset.ts';

/**
 * What follows `auth.pingone.` in the URLs of an organization's region.
 *
 * @see {@link https://developer.pingidentity.com/pingone-api/foundations/conventions/pingone-api-requests.html API requests}
 */
export type PingOneRegion = 'com' | 'ca' | 'eu' | 'com.au' | 'sg' | 'asia';

const regions: readonly PingOneRegion[] = ['com', 'ca', 'eu', 'com.au', 'sg', 'asia'];

/**
 * Where an environment is: by its id and region, or at a custom domain of its own.
 *
 * @see {@link https://developer.pingidentity.com/pingone-api/platform/custom-domains.html Custom Domains}
 */
export type PingOneEnvironment =
  | {
      /** A UUID, from the environment's properties. */
      environmentId: string;
      /** @default 'com', North America */
      region?: PingOneRegion | undefined;
      customDomain?: undefined;
    }
  | { customDomain: string; environmentId?: undefined; region?: undefined };

/** Options of {@link pingOne}: those of `hybridFlow()`, and what PingOne has besides. */
export type PingOneOptions = PresetOptions &
  PingOneEnvironment & {
    /** What a mobile SDK has signed about the user's device. Wire name: `mobilePayload`. */
    mobilePayload?: string | undefined;
  };

/**
 * Claims that PingOne takes from a request object.
 *
 * @see {@link https://developer.pingidentity.com/pingone-api/auth/auth-config-options/create-a-request-property-jwt.html Create a request property JWT}
 */
export interface PingOneRequestClaims {
  /** The notification that the user gets, for example of a transaction to be approved. */
  readonly 'pi.template'?: {
    readonly name: string;
    readonly variant?: string;
    readonly variables?: Readonly<Record<string, string>>;
  };
  /** What the user's device is told. */
  readonly 'pi.clientContext'?: Readonly<Record<string, unknown>>;
  /** Address of the user, for policies with conditions on it. */
  readonly 'pi.remoteIp'?: string;
  readonly 'pi.webAuthn'?: { readonly challenge: string };
  readonly [claim: string]: unknown;
}

/**
 * Options for an application at PingOne: `hybridFlow(pingOne({ environmentId, region, … }))`.
 *
 * The issuer is that of the environment. Request objects have the type that PingOne documents. The
 * sign-on policy that comes back as `acr` has to be one of `acrValues`. What the application gives takes
 * the place of all of it.
 *
 * @throws {@link OptionsError} when the environment cannot be one
 * @see {@link https://developer.pingidentity.com/pingone-api/auth/openid-connect-oauth-2/authorize-hybrid-1.html Authorize (hybrid POST)}
 */
export function pingOne(options: PingOneOptions): HybridFlowOptions {
  const { environmentId, region, customDomain, mobilePayload, ...given } = options;
  const { requestObject, authorizationParams } = given;
  return withPreset(
    { issuer: issuerOf(options) },
    {
      ...given,
      authorizationParams: mergeParams({ mobilePayload }, authorizationParams),
      requestObject: requestObject && { typ: 'JWT', ...requestObject },
    },
  );
}

/** A {@link pingOneLoginHintToken} for one user. */
export interface LoginHint {
  /** Id or user name of the user, as PingOne knows it. */
  subject: string;
  /** @default 'HS256' */
  alg?: SecretAlgorithm | undefined;
  /** How long it is good: an hour at most. @default 300 */
  lifetimeSeconds?: number | undefined;
}

/**
 * Tells PingOne who signs in, signed with the client secret, for the parameter `login_hint_token`. Made
 * for one login; the options may be those of {@link pingOne}.
 *
 * @throws {@link OptionsError} when the subject is empty or the application itself, the secret too short,
 *   or `alg` or `lifetimeSeconds` none of those above
 * @see {@link https://developer.pingidentity.com/pingone-api/auth/auth-config-options/create-a-login_hint_token-jwt.html Create a login_hint_token JWT}
 */
export function pingOneLoginHintToken(
  options: PingOneEnvironment & {
    clientId: string;
    clientSecret: string;
    issuer?: string | undefined;
    now?: (() => number) | undefined;
  },
  { subject, alg = 'HS256', lifetimeSeconds = 300 }: LoginHint,
): Promise<string> {
  // Of the application itself it would be a client_secret_jwt, and it travels by the browser.
  const isOwn = String(subject).toLowerCase() === options.clientId.toLowerCase();
  if (typeof subject !== 'string' || subject === '' || isOwn) {
    const message = '"subject" must be the id or the name of a user';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'subject', message);
  }
  if (!Number.isSafeInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > 3600) {
    throw invalid('lifetimeSeconds', 'a whole number from 1 to 3600', lifetimeSeconds);
  }
  readOneOf('alg', alg, secretAlgorithms);
  const key = readSecretKey(options.clientSecret, alg);
  const iat = Math.floor((options.now ?? Date.now)() / 1000);
  const { clientId: iss } = options;
  const aud = issuerOf(options);
  return signJwt({ iss, sub: subject, aud, iat, exp: iat + lifetimeSeconds }, key);
}

function issuerOf(options: PingOneEnvironment & { issuer?: string | undefined }): string {
  const { issuer, customDomain, environmentId, region = 'com' } = options;
  if (issuer !== undefined) return issuer;
  if (customDomain !== undefined) {
    if (environmentId !== undefined || options.region !== undefined) {
      const message = '"customDomain" stands in place of "environmentId" and "region"';
      throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'customDomain', message);
    }
    return `https://${readHost('customDomain', customDomain, 'auth.shop.example')}/as`;
  }
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  if (typeof environmentId !== 'string' || !isUuid.test(environmentId)) {
    throw wrongPlace('environmentId', 'the UUID of the environment', environmentId);
  }
  if (!regions.includes(region)) {
    throw invalid('region', `one of ${regions.join(', ')}, or "issuer" for another one`, region);
  }
  return `https://auth.pingone.${region}/${environmentId}/as`;
}
