import { describe, expect, it } from '@jest/globals';
import { checkTokenHash, tokenHash } from '../../lib/oidc/token-hash.ts';

describe('Core 3.3.2.11 hashes', () => {
  // The examples of OpenID Connect Core 1.0, appendix A.3, A.4 and A.6, all RS256.
  it.each([
    ['jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y', '77QmUPtjPfzWtF2AnpK9RQ'],
    ['Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk', 'LDktKdoQak3Pk0cnXxCltA'],
  ])('of %s is %s', (value, expected) => {
    expect(tokenHash(value, 'RS256')).toBe(expected);
  });

  it.each([
    ['RS256', 16],
    ['PS256', 16],
    ['ES256', 16],
    ['RS384', 24],
    ['PS384', 24],
    ['ES384', 24],
    ['RS512', 32],
    ['PS512', 32],
    ['ES512', 32],
    ['EdDSA', 32],
    ['Ed25519', 32],
  ])('is half the hash of %s: %i bytes', (alg, bytes) => {
    expect(Buffer.from(tokenHash('value', alg), 'base64url')).toHaveLength(bytes);
  });

  const binding = { value: 'code', alg: 'ES256', section: 'Core' } as const;

  it.each([
    ['c_hash', 'ERR_OIDC_C_HASH_MISMATCH'],
    ['at_hash', 'ERR_OIDC_AT_HASH_MISMATCH'],
    ['s_hash', 'ERR_OIDC_S_HASH_MISMATCH'],
  ] as const)('refuses a wrong %s, also one that is no string', (claim, code) => {
    for (const found of [
      'wrong',
      tokenHash('other', 'ES256'),
      tokenHash('code', 'ES384'),
      1,
      null,
    ]) {
      expect(() => checkTokenHash({ ...binding, claim, found, isRequired: false })).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });

  it.each([
    ['c_hash', 'ERR_OIDC_C_HASH_MISSING'],
    ['at_hash', 'ERR_OIDC_AT_HASH_MISSING'],
  ] as const)('refuses a missing %s where it is required only', (claim, code) => {
    const missing = { ...binding, claim, found: undefined };
    expect(() => checkTokenHash({ ...missing, isRequired: true })).toThrow(
      expect.objectContaining({ code }),
    );
    expect(() => checkTokenHash({ ...missing, isRequired: false })).not.toThrow();
  });

  it('accepts the right one', () => {
    const found = tokenHash('code', 'ES256');
    expect(() =>
      checkTokenHash({ ...binding, claim: 'c_hash', found, isRequired: true }),
    ).not.toThrow();
  });
});
