import { compactVerify, errors } from 'jose';
import { HybridFlowError } from '../errors.ts';
import type { DiscoveredProvider } from './provider.ts';

/** What can be wrong with a signed JWT before its claims are looked at. */
export type JwsCheck = 'MALFORMED' | 'ALG' | 'KEY' | 'SIGNATURE';

/** Makes the error of a token whose check failed. */
export type RefuseJws = (
  check: JwsCheck,
  wanted: string,
  section: string,
  cause?: unknown,
) => Error;

/** Claims of a JWT whose signature is the OP's; nothing of them is checked yet. */
export interface VerifiedJws {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly header: { readonly alg: string; readonly typ?: string };
}

/** The algorithms that one kind of JWT may be signed with. */
export interface AcceptedAlgorithms {
  /** The option that says so. */
  readonly option: string;
  /** What it says. */
  readonly registered: string | undefined;
  /** What the OP lists for this kind of JWT. */
  readonly offered: readonly string[] | undefined;
  /** What is taken at all. */
  readonly known: readonly string[];
}

/**
 * Verifies that a JWT was signed by the OP, by an algorithm that was registered.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#Signing Core 10.1}
 * @throws what `refuse` makes
 */
export async function verifyJws(
  unverifiedJwt: string,
  provider: DiscoveredProvider,
  accepted: AcceptedAlgorithms,
  refuse: RefuseJws,
): Promise<VerifiedJws> {
  let payload: Uint8Array;
  let header: VerifiedJws['header'];
  try {
    const algorithms = algorithmsOf(accepted);
    const verified = await compactVerify(unverifiedJwt, provider.keys.find, { algorithms });
    payload = verified.payload;
    header = verified.protectedHeader;
  } catch (error) {
    throw translateJoseError(error, accepted, refuse);
  }
  return { claims: parseClaims(payload, refuse), header };
}

function algorithmsOf({ registered, offered = ['RS256'], known }: AcceptedAlgorithms): string[] {
  if (registered !== undefined) return [registered];
  // Discovery 3 makes the list of ID Tokens mandatory; where one is absent, RS256 is what a
  // registration means.
  return offered.filter((alg) => known.includes(alg));
}

function translateJoseError(
  error: unknown,
  { option }: AcceptedAlgorithms,
  refuse: RefuseJws,
): unknown {
  if (error instanceof HybridFlowError) return error;
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const wanted = `alg must be one that the OP offers, or ${option}`;
    return refuse('ALG', wanted, 'Core 3.1.3.7 (7)', error);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refuse('SIGNATURE', 'the signature must be valid', 'Core 3.1.3.7 (6)', error);
  }
  // RFC 7515 4.1.11: what "crit" names has to be understood, and nothing of that kind is.
  if (error instanceof errors.JWSInvalid || error instanceof errors.JOSENotSupported) {
    const wanted = 'it must be a signed JWT in compact form, without critical extensions';
    return refuse('MALFORMED', wanted, 'Core 2', error);
  }
  return refuse('KEY', "kid must name one usable key of the OP's jwks_uri", 'Core 10.1', error);
}

function parseClaims(payload: Uint8Array, refuse: RefuseJws): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as Record<string, unknown>;
    }
  } catch {
    // Answered below, together with JSON that is no object.
  }
  throw refuse('MALFORMED', 'its payload must be a JSON object', 'RFC 7519 7.2');
}
