import * as client from 'openid-client';
import { ProviderError, type UserinfoErrorCode, ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { LoginFindings } from './code-exchange.ts';
import type { DpopKey } from './dpop.ts';
import { sendProven } from './dpop-request.ts';
import type { IdTokenClaims, UserinfoClaims } from './id-token-claims.ts';
import { isTime } from './id-token-claims.ts';
import { unwrapJwt } from './jwe.ts';
import { verifyJws } from './jws.ts';
import { type DiscoveredProvider, isAsGoodAsIssuer, type Provider } from './provider.ts';
import { checkRequestedClaims } from './requested-claims.ts';
import { refuseOutage, translateError } from './translate-error.ts';

type Check = UserinfoErrorCode extends `ERR_OIDC_USERINFO_${infer Name}` ? Name : never;

type UsedOptions = Pick<
  ResolvedOptions,
  | 'issuer'
  | 'clientId'
  | 'clockToleranceSeconds'
  | 'userinfoSignedResponseAlg'
  | 'signatureAlgorithms'
  | 'encryptionKeys'
  | 'encryptedResponses'
  | 'claims'
  | 'now'
>;

/**
 * Asks the UserInfo Endpoint about the user of a login. Plain, signed and encrypted answers are taken.
 *
 * @param dpop the key that the access token is bound to
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#UserInfo Core 5.3}
 * @throws {@link ProviderError} when the OP has no such endpoint, fails, or refuses the access token
 * @throws {@link ValidationError} `ERR_OIDC_USERINFO_…`, one code for each check;
 *   `ERR_OIDC_CLAIM_MISSING`, `ERR_OIDC_CLAIM_VALUE`
 */
export async function requestUserinfo(
  accessToken: string,
  { sub }: Pick<IdTokenClaims, 'sub'>,
  provider: Provider,
  options: UsedOptions,
  dpop?: DpopKey,
): Promise<UserinfoClaims> {
  const discovered = await provider.discovered();
  const response = await fetchUserinfo(accessToken, discovered, dpop);
  const claims = await readClaims(response, discovered, options);
  // Core 5.3.2: without the sub of the ID Token, exactly, it MUST NOT be used: it may be of
  // somebody else, whose access token was put in the place of this one (5.3.4, 16.11).
  if (claims['sub'] !== sub) {
    throw refusal('SUB', 'sub must be there and be the one of the ID Token', 'Core 5.3.2');
  }
  checkRequestedClaims(claims, options.claims.userinfo, 'UserInfo');
  return { ...claims, sub };
}

/** What of an answer is kept with the login: the claims that `loadUserinfo` names. */
export function pickUserinfo(
  userinfo: UserinfoClaims | undefined,
  { loadUserinfo = [] }: Pick<ResolvedOptions, 'loadUserinfo'>,
): LoginFindings {
  const kept = Object.entries(userinfo ?? {}).filter(([name]) => loadUserinfo.includes(name));
  return kept.length === 0 ? {} : { userinfo: Object.fromEntries(kept) };
}

async function fetchUserinfo(
  accessToken: string,
  discovered: DiscoveredProvider,
  dpop: DpopKey | undefined,
): Promise<Response> {
  const endpoint = discovered.metadata.userinfo_endpoint;
  if (!isAsGoodAsIssuer(endpoint, discovered)) {
    throw new ProviderError(
      'ERR_OIDC_METADATA',
      'userinfo',
      'the discovery document has no "userinfo_endpoint" that is an https URL',
    );
  }
  let response: Response;
  try {
    const send = (configuration: client.Configuration) =>
      client.fetchProtectedResource(
        configuration,
        accessToken,
        new URL(endpoint),
        'GET',
        undefined,
        new Headers({ Accept: 'application/json, application/jwt' }),
      );
    response = await (dpop === undefined
      ? send(discovered.configuration)
      : sendProven(discovered, { key: dpop, isPatient: false, accessToken }, send));
  } catch (error) {
    throw translateError(error, 'userinfo');
  }
  refuseOutage(response, 'userinfo');
  if (response.status === 200) return response;
  throw new ProviderError(
    response.status >= 400 ? 'ERR_OIDC_USERINFO_REFUSED' : 'ERR_OIDC_PROVIDER_RESPONSE',
    'userinfo',
    `the OP answered the userinfo request with HTTP status ${response.status}`,
  );
}

async function readClaims(
  response: Response,
  discovered: DiscoveredProvider,
  options: UsedOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  const text = await response.text();
  // Core 5.3.2: the media type tells plain answers from signed ones.
  if (mediaType === 'application/jwt') {
    const inside = await unwrapJwt(text.trim(), 'userinfo', options, refuseForm);
    // Encrypted, and not signed: as good as plain, since TLS says who has sent it.
    const isUnsigned = inside !== text.trim() && inside.startsWith('{');
    return isUnsigned ? readPlain(inside, options) : verifySigned(inside, discovered, options);
  }
  if (mediaType !== 'application/json') {
    throw refusal('MALFORMED', 'it must be JSON or a JWT, by its media type', 'Core 5.3.2');
  }
  if (options.encryptedResponses.includes('userinfo')) {
    throw refuseForm('UNENCRYPTED', 'encryptedResponses names it, and it must be encrypted');
  }
  return readPlain(text, options);
}

function readPlain(text: string, options: UsedOptions): Readonly<Record<string, unknown>> {
  if (options.userinfoSignedResponseAlg !== undefined) {
    const wanted = 'userinfoSignedResponseAlg is set, and it must be signed';
    throw refusal('UNSIGNED', wanted, 'Core 5.3.2');
  }
  return parseObject(text);
}

async function verifySigned(
  unverifiedJwt: string,
  discovered: DiscoveredProvider,
  options: UsedOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const accepted = {
    option: 'userinfoSignedResponseAlg',
    registered: options.userinfoSignedResponseAlg,
    offered: discovered.metadata.userinfo_signing_alg_values_supported,
    known: options.signatureAlgorithms,
  };
  const { claims } = await verifyJws(unverifiedJwt, discovered, accepted, refusal);
  // Core 5.3.2: a signed answer has iss and aud. Stricter than its SHOULD: without them an ID Token
  // or another client's answer would pass.
  if (claims['iss'] !== options.issuer) {
    throw refusal('ISS', 'iss must be the option "issuer", to the letter', 'Core 5.3.2');
  }
  if (![claims['aud']].flat().includes(options.clientId)) {
    throw refusal('AUD', 'aud must contain the client_id', 'Core 5.3.2');
  }
  const { exp } = claims;
  const earliest = options.now() / 1000 - options.clockToleranceSeconds;
  // RFC 7519 4.1.4: not to be accepted after it, where it is there.
  if (exp !== undefined && (!isTime(exp) || exp <= earliest)) {
    throw refusal('EXP', 'exp must lie in the future', 'RFC 7519 4.1.4');
  }
  return claims;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as Record<string, unknown>;
    }
  } catch {
    // Answered below, together with JSON that is no object.
  }
  throw refusal('MALFORMED', 'it must be a JSON object', 'Core 5.3.2');
}

function refuseForm(check: 'ENCRYPTED' | 'UNENCRYPTED', wanted: string): ValidationError {
  return refusal(check, wanted, 'Core 5.3.2');
}

function refusal(check: Check, wanted: string, section: string, cause?: unknown): ValidationError {
  return new ValidationError(
    `ERR_OIDC_USERINFO_${check}`,
    section,
    `the answer of the UserInfo Endpoint is refused: ${wanted}`,
    cause,
  );
}
