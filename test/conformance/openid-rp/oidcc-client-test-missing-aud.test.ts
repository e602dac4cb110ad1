import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-missing-aud', () => {
  describe('Core 3.1.3.7 (3)', () => {
    describeRefusals([
      ['no aud', { claims: { aud: undefined } }, 'ID_TOKEN_AUD'],
      ['an empty aud', { claims: { aud: '' } }, 'ID_TOKEN_AUD'],
      ['an empty list of aud', { claims: { aud: [] } }, 'ID_TOKEN_AUD'],
    ]);
  });
});
