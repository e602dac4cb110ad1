import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { type Flow, startFlow } from '../support/flow.ts';
import { describeRefusals, expectRefusal, frontChannels } from '../support/refusals.ts';

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
