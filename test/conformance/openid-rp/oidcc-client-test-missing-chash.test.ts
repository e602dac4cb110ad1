import { describe } from '@jest/globals';
import { describeRefusals, frontChannels } from '../../support/refusals.ts';

describe('oidcc-client-test-missing-chash', () => {
  describe('Core 3.3.2.11', () => {
    describeRefusals([['no c_hash', { claims: { c_hash: undefined } }, 'C_HASH_MISSING']], {
      in: frontChannels,
    });
  });
});
