import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

const now = Math.floor(Date.now() / 1000);

describe('oidcc-client-test-missing-iat', () => {
  describe('Core 2, 3.1.3.7 (10)', () => {
    describeRefusals([
      ['no iat', { claims: { iat: undefined } }, 'ID_TOKEN_IAT'],
      ['an iat that is no number', { claims: { iat: String(now) } }, 'ID_TOKEN_IAT'],
      ['an iat in the future', { claims: { iat: now + 1000 } }, 'ID_TOKEN_IAT'],
    ]);
  });
});
