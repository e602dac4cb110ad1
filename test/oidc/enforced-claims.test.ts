import { describe, expect, it } from '@jest/globals';
import { checkEnforcedClaims } from '../../lib/oidc/enforced-claims.ts';
import type { IdTokenClaims } from '../../lib/oidc/id-token-claims.ts';
import { createTransaction } from '../../lib/oidc/transaction.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const now = 1_800_000_000;
const { options } = opByFetch({ now: () => now * 1000, maxAge: 60 });
const transaction = createTransaction(options, {
  responseMode: 'form_post',
  returnTo: '/',
  sessionId: undefined,
});

const check = (authTime: unknown) => () =>
  checkEnforcedClaims({ auth_time: authTime } as IdTokenClaims, transaction, options);

describe('Core 3.1.2.1 auth_time', () => {
  it.each([String(now), true, null, [now], {}, undefined])('that is %j is missing', (authTime) => {
    expect(check(authTime)).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_AUTH_TIME_MISSING' }),
    );
  });

  it('may be as old as maxAge and the tolerance together, and no older', () => {
    expect(check(now - 90)).not.toThrow();
    expect(check(now - 91)).toThrow(expect.objectContaining({ code: 'ERR_OIDC_MAX_AGE' }));
  });
});
