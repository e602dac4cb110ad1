import { type ResponseJwtErrorCode, ValidationError } from '../errors.ts';
import type { ResolvedOptions, ResponseMode } from '../options.ts';
import { isTime } from './id-token-claims.ts';
import { unwrapJwt } from './jwe.ts';
import { verifyJws } from './jws.ts';
import type { Provider } from './provider.ts';
import { type ResponseParameters, readResponseParameters } from './response-parameters.ts';

type Check = ResponseJwtErrorCode extends `ERR_OIDC_JARM_${infer Name}` ? Name : never;

type UsedOptions = Pick<
  ResolvedOptions,
  | 'issuer'
  | 'clientId'
  | 'clockToleranceSeconds'
  | 'authorizationSignedResponseAlg'
  | 'signatureAlgorithms'
  | 'encryptionKeys'
  | 'encryptedResponses'
  | 'now'
>;

/** Whether a response mode has the answer come as a JWT. */
export function isJwtMode(mode: ResponseMode | undefined): boolean {
  return mode === 'jwt' || (mode?.endsWith('.jwt') ?? false);
}

/**
 * Takes the parameters out of an authorization response that is a JWT: signed by the OP that was
 * asked, for this client, not too long ago. The rules for plain ones then hold for what was inside.
 *
 * @see {@link https://openid.net/specs/oauth-v2-jarm-final.html#section-2.4 JARM 2.4}
 * @throws {@link ValidationError} `ERR_OIDC_JARM_…`, one code for each check
 */
export async function openResponseJwt(
  unverifiedJwt: string,
  provider: Provider,
  options: UsedOptions,
): Promise<ResponseParameters> {
  // JARM 2.4 (1).
  const jws = await unwrapJwt(unverifiedJwt, 'authorization', options, refusal);
  const discovered = await provider.discovered();
  const { authorization_signing_alg_values_supported: offered } = discovered.metadata;
  const accepted = {
    option: 'authorizationSignedResponseAlg',
    registered: options.authorizationSignedResponseAlg,
    offered: Array.isArray(offered) ? (offered as string[]) : undefined,
    known: options.signatureAlgorithms,
  };
  const { claims } = await verifyJws(jws, discovered, accepted, refuseJws);
  checkAddress(claims, options);
  checkTimes(claims, options);
  const { response: _nested, ...parameters } = claims;
  return readResponseParameters(Object.entries(parameters));
}

function checkAddress(claims: Readonly<Record<string, unknown>>, options: UsedOptions): void {
  // JARM 2.4 (3): the issuer is the one that was asked, or two OPs can be mixed up.
  if (claims['iss'] !== options.issuer) {
    throw refusal('ISS', 'iss must be the option "issuer", to the letter');
  }
  if (![claims['aud']].flat().includes(options.clientId)) {
    throw refusal('AUD', 'aud must contain the client_id');
  }
}

function checkTimes(claims: Readonly<Record<string, unknown>>, options: UsedOptions): void {
  const { exp, nbf } = claims;
  const now = options.now() / 1000;
  const tolerance = options.clockToleranceSeconds;
  if (!isTime(exp) || exp <= now - tolerance) {
    throw refusal('EXP', 'exp must be there and lie in the future; compare the clocks');
  }
  // RFC 7519 4.1.5: not to be accepted before it, where it is there.
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + tolerance)) {
    throw refusal('NBF', 'nbf must not lie in the future; compare the clocks');
  }
}

function refuseJws(
  check: 'MALFORMED' | 'ALG' | 'KEY' | 'SIGNATURE',
  wanted: string,
  _section: string,
  cause?: unknown,
): ValidationError {
  return refusal(check, wanted, cause);
}

function refusal(check: Check, wanted: string, cause?: unknown): ValidationError {
  return new ValidationError(
    `ERR_OIDC_JARM_${check}`,
    'JARM 2.4',
    `the JWT of the authorization response is refused: ${wanted}`,
    cause,
  );
}
