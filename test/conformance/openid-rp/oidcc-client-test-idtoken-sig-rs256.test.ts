import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../../support/flow.ts';
import { startSigningWith } from '../../support/signing-with.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-idtoken-sig-rs256', () => {
  it('signs in, with the hashes of SHA-256', async () => {
    flow = await startSigningWith('RS256');
    expect(json(await flow.signIn())['sub']).toBe('ada');
  });

  it('signs in at an OP that lists no algorithms, as RS256 is the default', async () => {
    flow = await startSigningWith('RS256', undefined);
    expect(json(await flow.signIn())['sub']).toBe('ada');
  });
});
