import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json } from '../support/flow.ts';
import { startSigningWith } from '../support/signing-with.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('RFC 7518 3.1 every asymmetric algorithm', () => {
  it.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    '%s signs in, with the hashes that belong to it',
    async (alg) => {
      flow = await startSigningWith(alg);
      expect(json(await flow.signIn())['sub']).toBe('ada');
    },
  );
});
