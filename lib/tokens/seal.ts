import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts and authenticates what leaves this process: cookies, URLs, records in the store. */
export interface Sealer {
  /**
   * Seals a text or bytes for one purpose and place: it opens under the same `purpose` only, so that a
   * sealed value cannot be moved to where another one belongs.
   */
  seal(content: string | Buffer, purpose: string): string;
  /** Opens what {@link seal} made of a text with any of the secrets; `undefined` for everything else. */
  open(sealed: string, purpose: string): string | undefined;
  /** The same for bytes. */
  openBytes(sealed: string, purpose: string): Buffer | undefined;
}

interface Key {
  readonly id: Buffer;
  readonly key: Buffer;
}

const idBytes = 4;
const ivBytes = 12;
const tagBytes = 16;

/**
 * A sealer by AES-256-GCM. The first secret seals; all open, so a secret is rotated by putting
 * the new one in front and dropping the old one when all that it sealed has expired.
 *
 * Layout: key id (4 bytes), IV (12), ciphertext, tag (16); base64url. The IV is random, so one
 * secret is good for 2^32 values (NIST SP 800-38D 8.3).
 */
export function createSealer(secrets: readonly string[]): Sealer {
  const keys = secrets.map(deriveKey);
  const [first] = keys;
  if (first === undefined) throw new RangeError('a sealer needs a secret');

  const openBytes = (sealed: string, purpose: string): Buffer | undefined => {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < idBytes + ivBytes + tagBytes) return undefined;
    const key = keys.find((candidate) => candidate.id.equals(bytes.subarray(0, idBytes)));
    if (key === undefined) return undefined;
    const iv = bytes.subarray(idBytes, idBytes + ivBytes);
    const decipher = createDecipheriv('aes-256-gcm', key.key, iv, { authTagLength: tagBytes })
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const content = decipher.update(bytes.subarray(idBytes + ivBytes, -tagBytes));
      // Of GCM it returns nothing: it is where a content that was altered is refused.
      decipher.final();
      return content;
    } catch {
      // Altered, cut, or sealed for another purpose.
      return undefined;
    }
  };

  return {
    seal(content, purpose) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', first.key, iv).setAAD(Buffer.from(purpose));
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const sealed = [first.id, iv, cipher.update(bytes), cipher.final()];
      return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url');
    },

    open: (sealed, purpose) => openBytes(sealed, purpose)?.toString('utf8'),
    openBytes,
  };
}

function deriveKey(secret: string): Key {
  const derived = Buffer.from(hkdfSync('sha256', secret, '', 'passport-oidc-hybrid seal', 36));
  return { id: derived.subarray(0, idBytes), key: derived.subarray(idBytes) };
}
