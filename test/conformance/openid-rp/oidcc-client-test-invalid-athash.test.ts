import { describe } from '@jest/globals';
import { besideAccessToken, describeRefusals, tokenEndpoint } from '../../support/refusals.ts';

describe('oidcc-client-test-invalid-athash', () => {
  describe('Core 3.3.2.9', () => {
    describeRefusals(
      [
        ['another at_hash', { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'AT_HASH_MISMATCH'],
        ['an at_hash that is null', { claims: { at_hash: null } }, 'AT_HASH_MISMATCH'],
      ],
      { in: besideAccessToken },
    );
  });

  describe('Core 3.1.3.8 at the token endpoint', () => {
    describeRefusals([['another at_hash', { claims: { at_hash: 'wrong' } }, 'AT_HASH_MISMATCH']], {
      in: tokenEndpoint,
    });
  });
});
