import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkTokenHash, tokenHash } from '../../lib/oidc/token-hash.ts';
import { signatureAlgorithms } from '../../lib/options.ts';
import { tokenHash as independentHash } from '../../lib/testing/hash.ts';

const claims = ['c_hash', 'at_hash', 's_hash'] as const;

describe.each(signatureAlgorithms)('Core 3.3.2.11 hashes for %s', (alg) => {
  const check = (found: unknown, value: string, claim: (typeof claims)[number]) => () =>
    checkTokenHash({ claim, found, value, alg, isRequired: true, section: 'Core' });

  it('are those of another implementation', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        // RFC 7518 3.1 and RFC 8037 name no bits for EdDSA; Ed25519 signs over SHA-512.
        const known = alg === 'EdDSA' ? 'Ed25519' : alg;
        expect(tokenHash(value, alg)).toBe(independentHash(value, known));
      }),
    );
  });

  it('accept their own value, and no other', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(...claims), (one, other, claim) => {
        expect(check(tokenHash(one, alg), one, claim)).not.toThrow();
        fc.pre(one !== other);
        expect(check(tokenHash(one, alg), other, claim)).toThrow(
          expect.objectContaining({ code: `ERR_OIDC_${claim.toUpperCase()}_MISMATCH` }),
        );
      }),
    );
  });

  it('refuse whatever else stands in the claim', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (found, value) => {
        fc.pre(found !== undefined && found !== tokenHash(value, alg));
        expect(check(found, value, 'c_hash')).toThrow(
          expect.objectContaining({ code: 'ERR_OIDC_C_HASH_MISMATCH' }),
        );
      }),
    );
  });
});
