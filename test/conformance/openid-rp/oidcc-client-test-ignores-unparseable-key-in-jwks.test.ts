import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { published } from '../../support/published-keys.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-ignores-unparseable-key-in-jwks', () => {
  it.each([
    ['a key of a type that nobody has', { kty: 'FUTURE', kid: 'f', value: 'x' }],
    ['a key of an unknown parameter set', { kty: 'AKP', alg: 'ML-DSA-999', kid: 'f', pub: 'AA' }],
    ['a key on an unknown curve', { kty: 'EC', crv: 'P-999', kid: 'f', x: 'AA', y: 'AA' }],
    ['a key that lacks its parts', { kty: 'EC', crv: 'P-256', kid: 'f' }],
    ['a key for encryption', { kty: 'RSA', use: 'enc', kid: 'f', n: 'AA', e: 'AQAB' }],
    ['a symmetric key', { kty: 'oct', kid: 'f', k: 'AAAA' }],
    ['a key with no members at all', {}],
  ])('signs in beside %s', async (_what, key) => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [key, ...keys]));
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('a set that is no set of keys is an answer that cannot be used', async () => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [...keys, 'no key']));
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_PROVIDER_RESPONSE');
  });
});
