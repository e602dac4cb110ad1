import fc from 'fast-check';

/** Names that a callback reads, names near them, and names that mean something to JavaScript. */
export const parameterNames: readonly string[] = [
  ...['code', 'state', 'iss', 'id_token', 'access_token', 'token_type'],
  ...['error', 'error_description', 'error_uri', 'oidc_response'],
  ...['code[]', 'state[a]', 'Code', '__proto__', 'constructor', 'toString', 'session_state', ''],
];

const words = [
  ...['access_denied', 'server_error', 'temporarily_unavailable', 'login_required'],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'Bearer', 'DPoP'],
  ...['https://op.example', 'eyJhbGciOiJub25lIn0.e30.', 'a.b.c', 'a.b.c.d.e', '..', '[]', '{}'],
  ...['null', 'undefined', '-1', '1e999', '%', '%zz', '%00', '%F0%9F', '\u0000', '\ud800', '\r\n'],
];

/** Text of any kind: printable, binary, words that mean something, very long. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 3, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.nat(6000).map((length) => 'x'.repeat(length)) },
);

/** Names and values, encoded as a form or a query has them. */
export const parameters: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...parameterNames), text), text), { maxLength: 8 })
  .map((pairs) => new URLSearchParams(pairs).toString());

/** Bytes that were never meant to be parameters. */
export const garbage: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.json({ maxDepth: 3 }),
  fc
    .array(fc.constantFrom('&', '=', '%', '+', ';', '[', ']', 'code', 'state'), {
      maxLength: 60,
    })
    .map((parts) => parts.join('')),
);

export const contentTypes: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('application/x-www-form-urlencoded') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'application/x-www-form-urlencoded; charset=utf-8',
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencoded; charset=',
      'multipart/form-data; boundary=x',
      'application/json',
      'text/plain',
    ),
  },
);

/** One change to an answer that was valid. */
export interface Mutation {
  readonly kind: 'flip' | 'cut' | 'insert' | 'swap' | 'drop' | 'double' | 'replace' | 'foreign';
  /** Which parameter, and where in it. */
  readonly at: number;
  readonly position: number;
  readonly value: string;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(
    ...(['flip', 'cut', 'insert', 'swap', 'drop', 'double', 'replace', 'foreign'] as const),
  ),
  at: fc.nat(20),
  position: fc.nat(2000),
  value: text,
});

type Pairs = readonly (readonly [name: string, value: string])[];

/** An answer with one change; `foreign` takes a value out of the answer to another login. */
export function mutate(pairs: Pairs, change: Mutation, foreign: Pairs): Pairs {
  const index = change.at % Math.max(pairs.length, 1);
  const [name, value] = pairs[index] ?? ['', ''];
  const position = change.position % Math.max(value.length, 1);
  const put = (changed: string): Pairs => pairs.with(index, [name, changed]);
  if (pairs.length === 0) return pairs;
  switch (change.kind) {
    case 'flip': {
      const code = value.charCodeAt(position) || 65;
      return put(
        `${value.slice(0, position)}${String.fromCharCode(code ^ 1)}${value.slice(position + 1)}`,
      );
    }
    case 'cut':
      return put(value.slice(0, position));
    case 'insert':
      return put(`${value.slice(0, position)}${change.value}${value.slice(position)}`);
    case 'swap': {
      const [otherName, otherValue] = pairs[change.position % pairs.length] ?? ['', ''];
      return put(otherValue).with(change.position % pairs.length, [otherName, value]);
    }
    case 'drop':
      return pairs.toSpliced(index, 1);
    case 'double':
      return [...pairs, [name, change.position % 2 === 0 ? value : change.value]];
    case 'replace':
      return put(change.value);
    case 'foreign':
      return put(foreign.find(([other]) => other === name)?.[1] ?? '');
  }
}
