import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-nonce-invalid', () => {
  describe('Core 3.1.3.7 (11)', () => {
    describeRefusals([
      ['another nonce', { claims: { nonce: 'other' } }, 'ID_TOKEN_NONCE'],
      ['no nonce', { claims: { nonce: undefined } }, 'ID_TOKEN_NONCE'],
      ['an empty nonce', { claims: { nonce: '' } }, 'ID_TOKEN_NONCE'],
      ['a nonce that is no string', { claims: { nonce: 1 } }, 'ID_TOKEN_NONCE'],
      ['a nonce in a list', { claims: { nonce: ['other'] } }, 'ID_TOKEN_NONCE'],
    ]);
  });
});
