import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-invalid-iss', () => {
  describe('Core 3.1.3.7 (2)', () => {
    describeRefusals([
      ['another iss', { claims: { iss: 'https://evil.example' } }, 'ID_TOKEN_ISS'],
      ['no iss', { claims: { iss: undefined } }, 'ID_TOKEN_ISS'],
      ['an iss without its port', { claims: { iss: 'http://127.0.0.1' } }, 'ID_TOKEN_ISS'],
      ['an iss in a list', { claims: { iss: ['https://evil.example'] } }, 'ID_TOKEN_ISS'],
    ]);
  });
});
