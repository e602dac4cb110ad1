import { describe } from '@jest/globals';
import { channels, describeAcceptance, describeRefusals } from '../../support/refusals.ts';

const beside = channels.filter(
  ({ name, place }) => name.includes('id_token token') && place === 'frontIdToken',
);
const tokenEndpoint = channels.filter(({ place }) => place === 'backIdToken');

describe('oidcc-client-test-missing-athash', () => {
  describe('Core 3.3.2.11', () => {
    describeRefusals([['no at_hash', { claims: { at_hash: undefined } }, 'AT_HASH_MISSING']], {
      in: beside,
    });
  });

  describe('Core 3.1.3.6 at the token endpoint, where it is optional', () => {
    describeAcceptance([['no at_hash', { claims: { at_hash: undefined } }]], { in: tokenEndpoint });
  });
});

describe('oidcc-client-test-invalid-athash', () => {
  describe('Core 3.3.2.9', () => {
    describeRefusals(
      [
        ['another at_hash', { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 'AT_HASH_MISMATCH'],
        ['an at_hash that is null', { claims: { at_hash: null } }, 'AT_HASH_MISMATCH'],
      ],
      { in: beside },
    );
  });

  describe('Core 3.1.3.8 at the token endpoint', () => {
    describeRefusals([['another at_hash', { claims: { at_hash: 'wrong' } }, 'AT_HASH_MISMATCH']], {
      in: tokenEndpoint,
    });
  });
});
