import { afterEach, describe, it } from '@jest/globals';
import type { IdTokenLie } from '../../lib/testing/lies.ts';
import type { Flow } from '../support/flow.ts';
import { expectEnd, startStale } from '../support/stale-login.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('Core 12.2 the refreshed ID Token', () => {
  it.each([
    ['another nonce', { claims: { nonce: 'other' } }, 'ID_TOKEN_NONCE'],
    ['another organization', { claims: { org_id: 'org_b' } }, 'ORGANIZATION'],
    ['another auth_time', { claims: { auth_time: 1 } }, 'ID_TOKENS_AUTH_TIME'],
    ['another at_hash', { claims: { at_hash: 'wrong' } }, 'AT_HASH_MISMATCH'],
    ['a foreign signature', { signedWith: 'foreign_key' }, 'ID_TOKEN_SIGNATURE'],
    ['an exp that has passed', { claims: { exp: 1 } }, 'ID_TOKEN_EXP'],
    ['alg none', { signedWith: 'none' }, 'ID_TOKEN_ALG'],
    ['HS256 with the client secret', { signedWith: 'client_secret' }, 'ID_TOKEN_ALG'],
  ] as [string, IdTokenLie, string][])('with %s ends the login', async (_what, lie, code) => {
    flow = await startStale();
    await expectEnd(flow, lie, code);
  });
});
