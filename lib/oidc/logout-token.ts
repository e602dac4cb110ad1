import { type LogoutTokenErrorCode, ValidationError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { idTokenAlgorithms } from './id-token.ts';
import { isTime } from './id-token-claims.ts';
import { decryptJwt, isEncrypted } from './jwe.ts';
import { verifyJws } from './jws.ts';
import type { DiscoveredProvider } from './provider.ts';

/** A verified Logout Token. */
export interface LogoutToken {
  /** Names the token; to be accepted once. */
  readonly jti: string;
  /** Epoch seconds. */
  readonly iat: number;
  /** Epoch seconds. */
  readonly exp: number;
  readonly sub: string | undefined;
  /** The session at the OP; without it every session of the subject is meant. */
  readonly sid: string | undefined;
}

type Check = LogoutTokenErrorCode extends `ERR_OIDC_LOGOUT_TOKEN_${infer Name}` ? Name : never;

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

type CheckedOptions = Pick<
  ResolvedOptions,
  | 'issuer'
  | 'clientId'
  | 'clockToleranceSeconds'
  | 'idTokenSignedResponseAlg'
  | 'signatureAlgorithms'
  | 'encryptionKeys'
  | 'now'
>;

/**
 * Verifies a Logout Token, but for whether it was seen before.
 *
 * @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation Back-Channel Logout 2.6}
 * @throws {@link ValidationError} `ERR_OIDC_LOGOUT_TOKEN_…`, one code for each check
 */
export async function verifyLogoutToken(
  unverifiedLogoutToken: string,
  provider: DiscoveredProvider,
  options: CheckedOptions,
): Promise<LogoutToken> {
  const accepted = idTokenAlgorithms(provider, options);
  // 2.4: it MAY be encrypted, as ID Tokens are; the signature alone is what ends sessions.
  const isOpened = options.encryptionKeys.length > 0 && isEncrypted(unverifiedLogoutToken);
  const jws = isOpened
    ? await decryptJwt(unverifiedLogoutToken, options.encryptionKeys)
    : unverifiedLogoutToken;
  const { claims, header } = await verifyJws(jws, provider, accepted, refusal);
  // 2.4: explicit typing is RECOMMENDED; a type that is there has to be this one, or none in particular.
  if (!/^((application\/)?logout\+jwt|jwt)$/i.test(header.typ ?? 'jwt')) {
    throw refusal('TYP', 'typ must be "logout+jwt"', '2.4');
  }
  checkAddress(claims, options);
  const { iat, exp } = checkTimes(claims, options);
  checkEvent(claims);
  return { ...checkNames(claims), iat, exp };
}

function checkAddress(claims: Readonly<Record<string, unknown>>, options: CheckedOptions): void {
  if (claims['iss'] !== options.issuer) {
    throw refusal('ISS', 'iss must be the option "issuer", to the letter', '2.6 (3)');
  }
  if (![claims['aud']].flat().includes(options.clientId)) {
    throw refusal('AUD', 'aud must contain the client_id', '2.6 (3)');
  }
}

function checkTimes(
  claims: Readonly<Record<string, unknown>>,
  options: CheckedOptions,
): { iat: number; exp: number } {
  const { iat, exp } = claims;
  const now = options.now() / 1000;
  const tolerance = options.clockToleranceSeconds;
  if (!isTime(iat) || iat > now + tolerance) {
    throw refusal('IAT', 'iat must be there and not lie in the future', '2.6 (3)');
  }
  if (!isTime(exp) || exp <= now - tolerance) {
    throw refusal('EXP', 'exp must be there and lie in the future', '2.6 (3)');
  }
  return { iat, exp };
}

function checkEvent({ events, nonce }: Readonly<Record<string, unknown>>): void {
  const event = isObject(events) ? events[logoutEvent] : undefined;
  if (!isObject(event)) {
    throw refusal('EVENTS', `events must have the member ${logoutEvent}`, '2.6 (5)');
  }
  // An ID Token must never pass for a Logout Token.
  if (nonce !== undefined) throw refusal('NONCE', 'nonce must not be there', '2.6 (6)');
}

function checkNames(
  claims: Readonly<Record<string, unknown>>,
): Pick<LogoutToken, 'jti' | 'sub' | 'sid'> {
  const { jti, sub, sid } = claims;
  if (!isName(jti)) throw refusal('JTI', 'jti must be there', '2.4');
  const isNamed = isName(sub) || isName(sid);
  const isWell = [sub, sid].every((name) => name === undefined || isName(name));
  if (!isNamed || !isWell) throw refusal('SUBJECT', 'sub or sid must be there, as text', '2.6 (4)');
  return { jti, sub: sub as string | undefined, sid: sid as string | undefined };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(check: Check, wanted: string, section: string, cause?: unknown): ValidationError {
  return new ValidationError(
    `ERR_OIDC_LOGOUT_TOKEN_${check}`,
    /^\d/.test(section) ? `Back-Channel Logout ${section}` : section,
    `the Logout Token is refused: ${wanted}`,
    cause,
  );
}
