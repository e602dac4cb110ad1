import { describe } from '@jest/globals';
import { describeRefusals, frontChannels } from '../../support/refusals.ts';

describe('oidcc-client-test-invalid-chash', () => {
  describe('Core 3.3.2.10', () => {
    describeRefusals(
      [
        ['another c_hash', { claims: { c_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'C_HASH_MISMATCH'],
        ['a c_hash that is no string', { claims: { c_hash: null } }, 'C_HASH_MISMATCH'],
        ['a c_hash in a list', { claims: { c_hash: ['A'] } }, 'C_HASH_MISMATCH'],
      ],
      { in: frontChannels },
    );
  });

  describe('Core 3.3.3.6 at the token endpoint, where it is optional', () => {
    describeRefusals([['another c_hash', { claims: { c_hash: 'wrong' } }, 'C_HASH_MISMATCH']], {
      in: [
        { name: 'code', oidc: { responseType: 'code' }, place: 'backIdToken' },
        { name: 'code id_token', oidc: { responseType: 'code id_token' }, place: 'backIdToken' },
      ],
    });
  });
});
