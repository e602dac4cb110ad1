import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { type Flow, startFlow } from '../../support/flow.ts';
import { describeRefusals, expectRefusal, frontChannels } from '../../support/refusals.ts';

describe('oidcc-client-test-missing-chash', () => {
  describe('Core 3.3.2.11', () => {
    describeRefusals([['no c_hash', { claims: { c_hash: undefined } }, 'C_HASH_MISSING']], {
      in: frontChannels,
    });
  });
});

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

describe('FAPI 1.0 Advanced 5.1.1 s_hash', () => {
  describeRefusals([['another s_hash', { claims: { s_hash: 'wrong' } }, 'S_HASH_MISMATCH']], {
    in: frontChannels,
  });

  let flow: Flow;
  beforeAll(async () => {
    flow = await startFlow();
  });
  afterAll(() => flow.close());

  it('refuses the state of another login beside the ID Token of this one', async () => {
    await expectRefusal(
      flow,
      {
        response: (parameters) =>
          parameters.map(([name, value]) => [name, name === 'state' ? `${value}x` : value]),
      },
      'S_HASH_MISMATCH',
    );
  });
});
