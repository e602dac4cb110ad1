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

/** What {@link Packer.unpack} reads: the head; the rest by whoever asks for it. */
export interface Unpacked extends Pick<PackedContent, 'head'> {
  /** A token by its place; empty where there is none. */
  readToken(place: number): string;
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

/** About as long as a text is: the usual 16 KB are made anew for each. */
const chunkSize = 1024;

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
      let end = lengthBytes + packed.readUInt32BE(0);
      const first = packed.toString('utf8', lengthBytes, end);
      const [head, lengths] = JSON.parse(first) as [unknown, readonly TokenLengths[]];
      const starts = lengths.map((length) => {
        const start = end;
        end += typeof length === 'number' ? length : length.reduce((sum, part) => sum + part, 0);
        return start;
      });
      return {
        head,
        readToken(place) {
          let at = starts[place] ?? end;
          const length = lengths[place] ?? 0;
          if (typeof length === 'number') return packed.toString('utf8', at, at + length);
          const parts = length.map((part) => {
            at += part;
            return packed.toString('base64url', at - part, at);
          });
          return parts.join('.');
        },
        readText() {
          if (end === packed.length) return '';
          const options = { ...shared, chunkSize, maxOutputLength: maxTextBytes };
          return inflateRawSync(packed.subarray(end), options).toString();
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
