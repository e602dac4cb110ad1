import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { contentAlgorithms, type EncryptionKeyPair } from '../encryption-key.ts';
import { ValidationError } from '../errors.ts';
import type { EncryptedResponse, ResolvedOptions } from '../options.ts';

/** Makes the error of a token that is encrypted and should not be, or the other way round. */
export type RefuseForm = (check: 'ENCRYPTED' | 'UNENCRYPTED', wanted: string) => Error;

/** RFC 7516 9: an encrypted JWT has five parts. */
export function isEncrypted(jwt: string): boolean {
  return jwt.split('.').length === 5;
}

/**
 * Takes a signed JWT out of the encryption around it, where there is one. Encryption says nothing of
 * who made it, as the key is public: the signature inside is verified as ever.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#SigningOrder Core 16.14}
 * @throws {@link ValidationError} `ERR_OIDC_JWE_…`, and what `refuse` makes
 */
export async function unwrapJwt(
  unverifiedJwt: string,
  response: EncryptedResponse,
  options: Pick<ResolvedOptions, 'encryptionKeys' | 'encryptedResponses'>,
  refuse: RefuseForm,
): Promise<string> {
  if (!isEncrypted(unverifiedJwt)) {
    if (!options.encryptedResponses.includes(response)) return unverifiedJwt;
    throw refuse('UNENCRYPTED', 'encryptedResponses names it, and it must be encrypted');
  }
  if (options.encryptionKeys.length > 0) return decryptJwt(unverifiedJwt, options.encryptionKeys);
  const wanted = 'there is no clientEncryptionKey, and it must be signed and not encrypted';
  throw refuse('ENCRYPTED', wanted);
}

/**
 * Decrypts a JWT by one of the client's keys, each by its own algorithm.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7516#section-5.2 RFC 7516 section 5.2}
 * @throws {@link ValidationError} `ERR_OIDC_JWE_ALG`, `ERR_OIDC_JWE_DECRYPTION`
 */
export async function decryptJwt(jwe: string, keys: readonly EncryptionKeyPair[]): Promise<string> {
  const { alg, enc, kid } = readHeader(jwe);
  const fitting = keys.filter((key) => key.alg === alg);
  // The algorithm is the key's, and never the sender's choice (RFC 8725 3.1).
  if (fitting.length === 0 || !(contentAlgorithms as readonly unknown[]).includes(enc)) {
    throw new ValidationError(
      'ERR_OIDC_JWE_ALG',
      'RFC 8725 3.1',
      'alg of an encrypted token must be that of a clientEncryptionKey, and enc one that authenticates',
    );
  }
  let cause: unknown;
  for (const { key } of namedFirst(fitting, kid)) {
    try {
      const { plaintext } = await compactDecrypt(jwe, key, {
        keyManagementAlgorithms: [String(alg)],
        contentEncryptionAlgorithms: [...contentAlgorithms],
      });
      return new TextDecoder().decode(plaintext);
    } catch (error) {
      cause = error;
    }
  }
  throw undecipherable(cause);
}

function readHeader(jwe: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(jwe);
  } catch (error) {
    throw undecipherable(error);
  }
}

/** An OP need not say which key it has taken, and may go on for a while with one that was replaced. */
function namedFirst(
  keys: readonly EncryptionKeyPair[],
  kid: unknown,
): readonly EncryptionKeyPair[] {
  const named = keys.filter((key) => key.kid === kid);
  return named.length > 0 ? named : keys;
}

/** One code for all that can be wrong behind the header: whoever sends forgeries learns nothing by it. */
function undecipherable(cause: unknown): ValidationError {
  return new ValidationError(
    'ERR_OIDC_JWE_DECRYPTION',
    'RFC 7516 5.2',
    'an encrypted token cannot be decrypted: it is for another key, was changed, or is no JWE in compact form',
    cause,
  );
}
