import { ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { type IdTokenClaims, isTime } from './id-token-claims.ts';
import { unwrapJwt } from './jwe.ts';
import { type AcceptedAlgorithms, type JwsCheck, verifyJws } from './jws.ts';
import type { DiscoveredProvider } from './provider.ts';

/** A verified ID Token. */
export interface IdToken {
  readonly claims: IdTokenClaims;
  /** `alg` of its header: chooses the hash of c_hash, at_hash and s_hash. */
  readonly alg: string;
  /** The signed token itself, without the encryption that it may have come in. */
  readonly jws: string;
}

type CheckedOptions = Pick<
  ResolvedOptions,
  | 'issuer'
  | 'clientId'
  | 'clockToleranceSeconds'
  | 'idTokenSignedResponseAlg'
  | 'signatureAlgorithms'
  | 'encryptionKeys'
  | 'encryptedResponses'
  | 'now'
>;

/**
 * Verifies an ID Token, from whichever channel: signature and the claims that need no transaction.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation Core 3.1.3.7}
 * @throws {@link ValidationError} `ERR_OIDC_ID_TOKEN_…`, one code for each check
 */
export async function verifyIdToken(
  unverifiedIdToken: string,
  provider: DiscoveredProvider,
  options: CheckedOptions,
): Promise<IdToken> {
  // Core 3.1.3.7 number 1: where encryption was registered, what is not encrypted SHOULD be rejected.
  const jws = await unwrapJwt(unverifiedIdToken, 'idToken', options, (check, wanted) =>
    refusal(check, wanted, 'Core 3.1.3.7 (1)'),
  );
  // Core 3.1.3.7 numbers 6 to 8: signed by the OP's keys with the algorithm that was registered.
  const accepted = idTokenAlgorithms(provider, options);
  const { claims, header } = await verifyJws(jws, provider, accepted, refusal);
  checkIssuer(claims, options);
  checkAudience(claims, options);
  checkSubject(claims);
  checkTimes(claims, options);
  return { claims: claims as IdTokenClaims, alg: header.alg, jws };
}

/** What ID Tokens may be signed with, and Logout Tokens with them. */
export function idTokenAlgorithms(
  { metadata }: Pick<DiscoveredProvider, 'metadata'>,
  options: Pick<ResolvedOptions, 'idTokenSignedResponseAlg' | 'signatureAlgorithms'>,
): AcceptedAlgorithms {
  return {
    option: 'idTokenSignedResponseAlg',
    registered: options.idTokenSignedResponseAlg,
    offered: metadata.id_token_signing_alg_values_supported,
    known: options.signatureAlgorithms,
  };
}

/**
 * Holds the nonce of an ID Token against the one that was sent.
 *
 * @throws {@link ValidationError} `ERR_OIDC_ID_TOKEN_NONCE`
 */
export function checkNonce(claims: { readonly nonce?: unknown }, expected: string): void {
  // Core 3.1.3.7 number 11: we always send a nonce, so it MUST be there and be the same.
  if (claims.nonce !== expected) {
    throw refusal('NONCE', 'nonce must be the one of this login', 'Core 3.1.3.7 (11)');
  }
}

function checkIssuer(claims: Readonly<Record<string, unknown>>, options: CheckedOptions): void {
  if (claims['iss'] !== options.issuer) {
    throw refusal('ISS', 'iss must be the option "issuer", to the letter', 'Core 3.1.3.7 (2)');
  }
}

function checkAudience(claims: Readonly<Record<string, unknown>>, options: CheckedOptions): void {
  const { aud, azp } = claims;
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(options.clientId)) {
    throw refusal('AUD', 'aud must contain the client_id', 'Core 3.1.3.7 (3)');
  }
  // Numbers 4 and 5. Stricter than the clause's SHOULD: beside other audiences the OP has to say
  // that the token was issued to us, and an azp that is there has to be ours.
  if (azp === undefined ? audiences.length > 1 : azp !== options.clientId) {
    throw refusal('AZP', 'azp must be the client_id', 'Core 3.1.3.7 (4, 5)');
  }
}

function checkSubject(claims: Readonly<Record<string, unknown>>): void {
  const { sub } = claims;
  if (typeof sub !== 'string' || sub === '') {
    throw refusal('SUB', 'sub must be a non-empty string', 'Core 2');
  }
}

function checkTimes(claims: Readonly<Record<string, unknown>>, options: CheckedOptions): void {
  const { exp, iat, nbf } = claims;
  const now = options.now() / 1000;
  const tolerance = options.clockToleranceSeconds;
  if (!isTime(exp) || exp <= now - tolerance) {
    throw refusal('EXP', 'exp must lie in the future', 'Core 3.1.3.7 (9)');
  }
  // Number 10 leaves the acceptable age to the client; the nonce answers for that. A token from
  // the future is a clock that is wrong, here or there.
  if (!isTime(iat) || iat > now + tolerance) {
    throw refusal('IAT', 'iat must not lie in the future; compare the clocks', 'Core 3.1.3.7 (10)');
  }
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + tolerance)) {
    throw refusal('NBF', 'nbf must not lie in the future', 'RFC 7519 4.1.5');
  }
}

function refusal(
  check:
    | JwsCheck
    | 'ENCRYPTED'
    | 'UNENCRYPTED'
    | 'ISS'
    | 'AUD'
    | 'AZP'
    | 'EXP'
    | 'IAT'
    | 'NBF'
    | 'SUB'
    | 'NONCE',
  wanted: string,
  section: string,
  cause?: unknown,
): ValidationError {
  return new ValidationError(
    `ERR_OIDC_ID_TOKEN_${check}`,
    section,
    `the ID Token is refused: ${wanted}`,
    cause,
  );
}
