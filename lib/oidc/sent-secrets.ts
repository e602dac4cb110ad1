import type { BoundedRequest } from './bounded-answer.ts';

/** Parameters of requests to the OP that are for nobody else. */
const secretParameters: readonly string[] = [
  'client_secret',
  'client_assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'subject_token',
  // Of pushed requests, which nobody sees on their way.
  'request',
  'state',
  'nonce',
  'id_token_hint',
  'login_hint_token',
];

const requests = new WeakMap<Response, BoundedRequest>();

/** Remembers what an answer is the answer to. */
export function noteRequest(response: Response, request: BoundedRequest): Response {
  requests.set(response, request);
  return response;
}

/** Longest text that is searched. */
const maxLength = 4096;

/**
 * Whether a text of the OP repeats a secret of the request that it answers: as it was sent, decoded, or encoded once
 * more. Texts that are too long to be searched count as such.
 */
export function repeatsSecret(text: string, response: Response): boolean {
  if (text.length > maxLength) return true;
  const secrets = secretsOf(requests.get(response) ?? {});
  const readings = [...readingsOf(text)];
  return secrets.some((secret) => readings.some((reading) => reading.includes(secret)));
}

function secretsOf({ headers, body }: BoundedRequest): string[] {
  const sent = new Headers(headers);
  const parameters = [...new URLSearchParams(String(body ?? ''))];
  return [
    ...parameters.filter(([name]) => secretParameters.includes(name)).map(([, value]) => value),
    ...credentialsOf(sent.get('authorization') ?? ''),
    sent.get('dpop') ?? '',
  ].filter((secret) => secret !== '');
}

/** Of `Basic` the password, in which RFC 6749 2.3.1 has it encoded; of others all that stands behind the scheme. */
function credentialsOf(authorization: string): string[] {
  const [scheme = '', credentials = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() !== 'basic') return [credentials];
  const [, ...password] = Buffer.from(credentials, 'base64').toString().split(':');
  return [credentials, new URLSearchParams(`_=${password.join(':')}`).get('_') ?? ''];
}

/** What a text may mean to whoever decodes it: up to two layers, base64, and what is in that. */
function* readingsOf(text: string): Generator<string> {
  const plain = new Set([text]);
  for (let layer = 0; layer < 2; layer += 1) {
    for (const reading of [...plain]) for (const next of unescaped(reading)) plain.add(next);
  }
  yield* plain;
  for (const reading of plain) {
    for (const decoded of decodedBase64(reading)) {
      yield decoded;
      yield* unescaped(decoded);
    }
  }
}

/** By the escapes of URLs, forms, JSON and HTML. */
function unescaped(text: string): string[] {
  return [
    decodePercent(text),
    decodePercent(text.replaceAll('+', ' ')),
    text
      .replace(/\\u([\da-f]{4})/gi, (_found, hex: string) => characterOf(hex, 16))
      .replace(/\\(["\\/])/g, '$1'),
    text
      .replace(/&#(\d{1,7});/g, (_found, digits: string) => characterOf(digits, 10))
      .replace(/&#x([\da-f]{1,6});/gi, (_found, hex: string) => characterOf(hex, 16))
      .replace(/&(lt|gt|quot|apos|amp);/g, (_found, name: string) => entities[name] ?? ''),
  ];
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
};

function characterOf(digits: string, base: number): string {
  const point = Number.parseInt(digits, base);
  return point > 0x10ffff ? '' : String.fromCodePoint(point);
}

/** Byte by byte, as a text that is no URL may have a "%" of its own. */
function decodePercent(text: string): string {
  return text.replace(/(?:%[\da-f]{2})+/gi, (found) =>
    Buffer.from(found.replaceAll('%', ''), 'hex').toString(),
  );
}

/** All that may be base64 in a text, from each place where it may begin: what stands before it may look like it. */
function decodedBase64(text: string): string[] {
  const found = text.match(/[\w+/-]{8,}/g) ?? [];
  return [0, 1, 2, 3].map((start) =>
    found.map((word) => Buffer.from(word.slice(start), 'base64').toString()).join('\n'),
  );
}
