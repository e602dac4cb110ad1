import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import fc from 'fast-check';
import { readQuery } from '../../lib/http/callback-parameters.ts';
import { readResponseParameters } from '../../lib/oidc/response-parameters.ts';
import { garbage, parameterNames, parameters, text } from '../support/fuzz-inputs.ts';

const used = [
  ...['code', 'state', 'iss', 'id_token', 'access_token', 'token_type'],
  ...['error', 'error_description', 'error_uri'],
];
type Raw = [name: string, value: unknown][];

/** The parameters, or the code of the refusal. */
function read(raw: Raw): { found?: Record<string, string>; code?: unknown } {
  try {
    return { found: { ...readResponseParameters(raw) } };
  } catch (error) {
    return { code: (error as { code?: unknown }).code };
  }
}

const raw: fc.Arbitrary<Raw> = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom(...parameterNames), fc.string()),
    fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.anything() }),
  ),
);
const runs = { numRuns: 5000 };

describe('RFC 6749 3.1 the parameters of a response', () => {
  it('are each there once, printable and not empty, or all are refused', () => {
    fc.assert(
      fc.property(raw, (pairs) => {
        const { found, code } = read(pairs);
        if (found === undefined) {
          expect(['ERR_OIDC_PARAMETER_DUPLICATE', 'ERR_OIDC_PARAMETER_MALFORMED']).toContain(code);
          return;
        }
        for (const [name, value] of Object.entries(found)) {
          expect(used).toContain(name);
          expect(value).not.toBe('');
          if (!name.startsWith('error_')) expect(value).toMatch(/^[\x20-\x7e]+$/);
          expect(pairs.filter(([other, text]) => other === name && text !== '')).toHaveLength(1);
        }
      }),
      runs,
    );
  });

  it('do not depend on their order, nor on what else is there', () => {
    const valid = fc.uniqueArray(
      fc.tuple(fc.constantFrom(...used), fc.stringMatching(/^[\x21-\x7e]{1,100}$/)),
      { selector: ([name]) => name, minLength: 1 },
    );
    const others = fc.array(
      fc.tuple(
        fc.string().filter((name) => !used.includes(name)),
        fc.anything(),
      ),
    );
    fc.assert(
      fc.property(valid, others, (pairs, more) => {
        const expected = { found: Object.fromEntries(pairs) };
        expect(read([...pairs, ...more])).toEqual(expected);
        expect(read([...more, ...pairs.toReversed()])).toEqual(expected);
      }),
    );
  });

  it('are refused where one of them comes twice', () => {
    const value = fc.stringMatching(/^[\x21-\x7e]{1,20}$/);
    fc.assert(
      fc.property(fc.constantFrom(...used), value, value, (name, one, other) => {
        const twice = { code: 'ERR_OIDC_PARAMETER_DUPLICATE' };
        expect(
          read([
            [name, one],
            [name, other],
          ]),
        ).toEqual(twice);
        expect(read([[name, [one, other]]])).toEqual(twice);
      }),
    );
  });

  it('are read from any query without an error', () => {
    fc.assert(
      fc.property(fc.oneof(parameters, garbage), (query) => {
        const pairs = readQuery({ url: `/callback?${query}` } as Request);
        expect(pairs).toEqual([...new URLSearchParams(query)]);
        expect(Object.getPrototypeOf(pairs)).toBe(Array.prototype);
      }),
      runs,
    );
  });
});
