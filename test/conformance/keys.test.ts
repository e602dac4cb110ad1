import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';
import { published } from '../support/published-keys.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('RFC 7517 4.5 two keys of one kid', () => {
  it('are told apart by type, algorithm and use', async () => {
    flow = await startFlow();
    const other = { kty: 'RSA', alg: 'RS256', use: 'sig', n: 'AA', e: 'AQAB' };
    const enc = { use: 'enc', alg: 'ECDH-ES' };
    flow.op.lie(
      published((keys) => [
        ...keys.map(({ kid }) => ({ ...other, kid })),
        ...keys.map((key) => ({ ...key, ...enc })),
        ...keys,
      ]),
    );
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('that cannot be told apart are refused', async () => {
    flow = await startFlow();
    flow.op.lie(published((keys) => [...keys, ...keys]));
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ID_TOKEN_KEY']);
  });

  it('an HMAC with a symmetric key of the set is refused', async () => {
    flow = await startFlow();
    flow.op.lie({
      ...published((keys) => [
        ...keys,
        { kty: 'oct', kid: 'hmac', k: Buffer.from(flow.op.clientSecret).toString('base64url') },
      ]),
      frontIdToken: { signedWith: 'client_secret', header: { kid: 'hmac' } },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
  });
});
