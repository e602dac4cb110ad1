import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createTransaction,
  parseTransaction,
  serializeTransaction,
} from '../../lib/oidc/transaction.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const secret = 'a secret for tests, of 32 characters';
const sealer = createSealer([secret]);
const runs = { numRuns: 2000 };
// A lone surrogate has no UTF-8.
const text = fc.string({ unit: 'grapheme', maxLength: 300 });

describe('a sealed value', () => {
  it('opens to what it was, for its own purpose and no other', () => {
    fc.assert(
      fc.property(text, text, text, (value, purpose, other) => {
        const sealed = sealer.seal(value, purpose);
        expect(sealed).toMatch(/^[\w-]+$/);
        expect(sealer.open(sealed, purpose)).toBe(value);
        fc.pre(purpose !== other);
        expect(sealer.open(sealed, other)).toBeUndefined();
      }),
      runs,
    );
  });

  it('opens to nothing once a bit, or its length, has changed', () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(7), fc.uint8Array({ maxLength: 40 }), (...input) => {
        const [value, at, bit, more] = input;
        const bytes = Buffer.from(sealer.seal(value, 'purpose'), 'base64url');
        const flipped = Buffer.from(bytes);
        const index = at % bytes.length;
        flipped[index] = (bytes[index] ?? 0) ^ (1 << bit);
        for (const changed of [
          flipped,
          bytes.subarray(0, index),
          bytes.subarray(index + 1),
          Buffer.concat([bytes, more, Buffer.from('x')]),
        ]) {
          expect(sealer.open(changed.toString('base64url'), 'purpose')).toBeUndefined();
        }
      }),
      runs,
    );
  });

  it('is never made by anybody else: whatever is opened, nothing comes of it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (forged) => {
        expect(sealer.open(forged, 'purpose')).toBeUndefined();
      }),
      runs,
    );
  });

  it('survives a rotation of secrets for as long as the old one is there', () => {
    fc.assert(
      fc.property(
        text,
        fc.uniqueArray(fc.string({ minLength: 32 }), { minLength: 1 }),
        (...input) => {
          const [value, newer] = input;
          fc.pre(!newer.includes(secret));
          const sealed = sealer.seal(value, 'purpose');
          expect(createSealer([...newer, secret]).open(sealed, 'purpose')).toBe(value);
          expect(createSealer(newer).open(sealed, 'purpose')).toBeUndefined();
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a transaction', () => {
  const { options } = opByFetch();

  it('comes back from its cookie as it was', () => {
    const changed = fc.record({
      maxAge: fc.option(fc.nat(), { nil: undefined }),
      // As they are in the option: separated by spaces.
      acrValues: fc.array(fc.stringMatching(/^[^ ]+$/)),
      organization: fc.option(fc.string(), { nil: undefined }),
    });
    const visitor = fc.record({
      returnTo: fc.string(),
      sessionId: fc.option(fc.string(), { nil: undefined }),
    });
    fc.assert(
      fc.property(changed, visitor, (more, who) => {
        const transaction = createTransaction(
          { ...options, ...more },
          { responseMode: 'form_post', ...who },
        );
        const sealed = sealer.seal(serializeTransaction(transaction), 'tx');
        expect(parseTransaction(sealer.open(sealed, 'tx') ?? '')).toEqual(transaction);
      }),
    );
  });
});
