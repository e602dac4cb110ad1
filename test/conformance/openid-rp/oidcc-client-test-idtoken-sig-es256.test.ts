import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../../support/flow.ts';
import { startSigningWith } from '../../support/signing-with.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-idtoken-sig-es256', () => {
  it('signs in', async () => {
    flow = await startSigningWith('ES256');
    expect(json(await flow.signIn())['sub']).toBe('ada');
  });
});
