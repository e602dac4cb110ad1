import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function signInWith(alg: string, listed: unknown = [alg]): Promise<unknown> {
  flow = await startFlow({ oidc: { responseType: 'code id_token token' } });
  await flow.op.rotateKeys(alg);
  flow.op.lie({
    discovery: { json: (body) => ({ ...body, id_token_signing_alg_values_supported: listed }) },
  });
  return json(await flow.signIn())['sub'];
}

describe('oidcc-client-test-idtoken-sig-rs256', () => {
  it('signs in, with the hashes of SHA-256', async () => {
    expect(await signInWith('RS256')).toBe('ada');
  });

  it('signs in at an OP that lists no algorithms, as RS256 is the default', async () => {
    expect(await signInWith('RS256', undefined)).toBe('ada');
  });
});

describe('oidcc-client-test-idtoken-sig-es256', () => {
  it('signs in', async () => {
    expect(await signInWith('ES256')).toBe('ada');
  });
});

describe('RFC 7518 3.1 every asymmetric algorithm', () => {
  it.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    '%s signs in, with the hashes that belong to it',
    async (alg) => {
      expect(await signInWith(alg)).toBe('ada');
    },
  );
});
