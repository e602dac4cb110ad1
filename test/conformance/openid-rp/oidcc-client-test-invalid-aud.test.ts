import { describe } from '@jest/globals';
import { describeAcceptance, describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-invalid-aud', () => {
  describe('Core 3.1.3.7 (3)', () => {
    describeRefusals([
      ['another aud', { claims: { aud: 'other' } }, 'ID_TOKEN_AUD'],
      ['another aud in a list', { claims: { aud: ['other'] } }, 'ID_TOKEN_AUD'],
      ['an aud that only begins as ours', { claims: { aud: 'client2' } }, 'ID_TOKEN_AUD'],
      ['an aud in another case', { claims: { aud: 'Client' } }, 'ID_TOKEN_AUD'],
      ['an aud in a list in a list', { claims: { aud: [['client']] } }, 'ID_TOKEN_AUD'],
    ]);
  });

  describe('Core 3.1.3.7 (4, 5) azp', () => {
    describeRefusals([
      ['several aud without azp', { claims: { aud: ['client', 'other'] } }, 'ID_TOKEN_AZP'],
      [
        'several aud and another azp',
        { claims: { aud: ['client', 'other'], azp: 'other' } },
        'ID_TOKEN_AZP',
      ],
      ['another azp', { claims: { azp: 'other' } }, 'ID_TOKEN_AZP'],
      ['an azp that is null', { claims: { azp: null } }, 'ID_TOKEN_AZP'],
    ]);
  });

  describe('Core 2 aud', () => {
    describeAcceptance([
      ['aud in a list', { claims: { aud: ['client'] } }],
      ['our azp', { claims: { azp: 'client' } }],
      ['several aud with our azp', { claims: { aud: ['other', 'client'], azp: 'client' } }],
    ]);
  });
});
