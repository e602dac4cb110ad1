import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-missing-sub', () => {
  describe('Core 2', () => {
    describeRefusals([
      ['no sub', { claims: { sub: undefined } }, 'ID_TOKEN_SUB'],
      ['an empty sub', { claims: { sub: '' } }, 'ID_TOKEN_SUB'],
      ['a sub that is no string', { claims: { sub: 1 } }, 'ID_TOKEN_SUB'],
      ['a sub that is null', { claims: { sub: null } }, 'ID_TOKEN_SUB'],
      ['a sub in a list', { claims: { sub: ['ada'] } }, 'ID_TOKEN_SUB'],
    ]);
  });
});
