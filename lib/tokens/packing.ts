import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** What is packed into bytes, and comes back from them to the letter. */
export interface PackedContent {
  /** A JSON value that is read at once. */
  readonly head: unknown;
  /** Secrets. They are never compressed: by the size of what they were compressed with, they could be guessed. */
  readonly tokens: readonly string[];
  /** Text that is no secret, long, and seldom read. */
  readonly text: string;
}

/** What {@link Packer.unpack} reads; the text is inflated by whoever asks for it. */
export interface Unpacked extends Omit<PackedContent, 'text'> {
  readText(): string;
}

/** Makes records small: a store holds one for each session. */
export interface Packer {
  pack(content: PackedContent): Buffer;
  /** Reads what {@link pack} made, and nothing else: a seal has to protect it. */
  unpack(packed: Buffer): Unpacked;
}

/** Of a token: how many bytes each of its parts takes as what it encodes; or how many its own text takes. */
type TokenLengths = readonly number[] | number;

/** Bytes of the length that stands first. */
const lengthBytes = 4;

/** A window as small as the texts, which takes a tenth of the usual time to set up. */
const window = { windowBits: 11, memLevel: 4 };

/** More than any text that was packed. */
const maxTextBytes = 4_194_304;

/**
 * A packer for texts that resemble each other.
 *
 * @param dictionary what texts have in common, the likeliest last; with another one they do not come back
 */
export function createPacker(dictionary: string): Packer {
  const shared = { dictionary: Buffer.from(dictionary), ...window };
  return {
    pack({ head, tokens, text }) {
      const pieces: Buffer[] = [];
      const lengths = tokens.map((token) => layOut(token, pieces));
      const first = Buffer.from(JSON.stringify([head, lengths]));
      const length = Buffer.alloc(lengthBytes);
      length.writeUInt32BE(first.length);
      const compressed = text === '' ? [] : [deflateRawSync(text, shared)];
      return Buffer.concat([length, first, ...pieces, ...compressed]);
    },

    unpack(packed) {
      let position = lengthBytes;
      const take = (length: number): Buffer => {
        position += length;
        return packed.subarray(position - length, position);
      };
      const first = take(packed.readUInt32BE(0)).toString();
      const [head, lengths] = JSON.parse(first) as [unknown, readonly TokenLengths[]];
      const tokens = lengths.map((length) =>
        typeof length === 'number'
          ? take(length).toString()
          : length.map((part) => take(part).toString('base64url')).join('.'),
      );
      const compressed = packed.subarray(position);
      return {
        head,
        tokens,
        readText() {
          if (compressed.length === 0) return '';
          return inflateRawSync(compressed, {
            ...shared,
            maxOutputLength: maxTextBytes,
          }).toString();
        },
      };
    },
  };
}

/** Tokens are base64url or JWTs: as the bytes that they encode they take a quarter less. */
function layOut(token: string, pieces: Buffer[]): TokenLengths {
  const parts = token.split('.');
  const decoded = parts.map((part) => Buffer.from(part, 'base64url'));
  if (decoded.every((bytes, index) => bytes.toString('base64url') === parts[index])) {
    pieces.push(...decoded);
    return decoded.map(({ length }) => length);
  }
  const text = Buffer.from(token);
  pieces.push(text);
  return text.length;
}
