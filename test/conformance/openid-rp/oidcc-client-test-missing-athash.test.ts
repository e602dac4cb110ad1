import { describe } from '@jest/globals';
import {
  besideAccessToken,
  describeAcceptance,
  describeRefusals,
  tokenEndpoint,
} from '../../support/refusals.ts';

describe('oidcc-client-test-missing-athash', () => {
  describe('Core 3.3.2.11', () => {
    describeRefusals([['no at_hash', { claims: { at_hash: undefined } }, 'AT_HASH_MISSING']], {
      in: besideAccessToken,
    });
  });

  describe('Core 3.1.3.6 at the token endpoint, where it is optional', () => {
    describeAcceptance([['no at_hash', { claims: { at_hash: undefined } }]], { in: tokenEndpoint });
  });
});
