import { describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
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

const check = (authTime: unknown): Promise<void> =>
  checkEnforcedClaims({ auth_time: authTime } as IdTokenClaims, transaction, options);

describe('Core 3.1.2.1 auth_time', () => {
  it.each([
    String(now),
    true,
    null,
    [now],
    {},
    undefined,
    now + 31,
    now * 1000,
    Number.NEGATIVE_INFINITY,
  ])('that is %j is missing', async (authTime) => {
    await expect(check(authTime)).rejects.toMatchObject({ code: 'ERR_OIDC_AUTH_TIME_MISSING' });
  });

  it('may be as old as maxAge and the tolerance together, and no older', async () => {
    await expect(check(now - 90)).resolves.toBeUndefined();
    await expect(check(now + 30)).resolves.toBeUndefined();
    await expect(check(now - 91)).rejects.toMatchObject({ code: 'ERR_OIDC_MAX_AGE' });
  });
});

describe('allowedOrganizations', () => {
  const checkWith = (
    allowedOrganizations: CommonOptions['allowedOrganizations'],
    claims: Record<string, unknown>,
    organization?: string,
  ): Promise<void> => {
    const { options: resolved } = opByFetch({ allowedOrganizations, organization });
    return checkEnforcedClaims(
      claims as IdTokenClaims,
      createTransaction(resolved, {
        responseMode: 'form_post',
        returnTo: '/',
        sessionId: undefined,
      }),
      resolved,
    );
  };
  const refused = { code: 'ERR_OIDC_ORGANIZATION' };

  it.each([
    ['nothing', {}],
    ['an id of the list', { org_id: 'org_a' }],
    ['a name of the list, in any case', { org_id: 'org_z', org_name: 'Acme' }],
  ])('let in %s', async (_what, claims) => {
    await expect(checkWith(['org_a', 'acme'], claims)).resolves.toBeUndefined();
  });

  it.each([
    ['another id', { org_id: 'org_b' }],
    ['an id in another case', { org_id: 'ORG_A' }],
    ['a name that looks like an id', { org_id: 'org_b', org_name: 'org_a' }],
    ['a name alone that is not listed', { org_name: 'other' }],
    ['a list', { org_id: ['org_a'] }],
    ['a name in a list', { org_name: ['acme'] }],
    ['null', { org_id: null }],
  ])('refuse %s', async (_what, claims) => {
    await expect(checkWith(['org_a', 'acme'], claims)).rejects.toMatchObject(refused);
  });

  it('refuse what is asked for as well, if it is not among them', async () => {
    const claims = { org_id: 'org_b' };
    await expect(checkWith(['org_a'], claims, 'org_b')).rejects.toMatchObject(refused);
    await expect(checkWith(['org_b'], claims, 'org_b')).resolves.toBeUndefined();
  });

  it.each([{ org_id: ['org_a'] }, { org_id: 'org_a', org_name: 7 }, { org_id: 7, org_name: 'a' }])(
    'ask no function about what is no text: %j',
    async (claims) => {
      await expect(checkWith(() => true, claims)).rejects.toMatchObject(refused);
    },
  );

  it('ask a function, which lets in by true and nothing else', async () => {
    const seen: unknown[] = [];
    const claims = { org_id: 'org_b', org_name: 'b' };
    const allow = (answer: unknown) => (organization: unknown) => {
      seen.push(organization);
      return answer as boolean;
    };
    await expect(checkWith(allow(Promise.resolve(true)), claims)).resolves.toBeUndefined();
    for (const answer of [false, undefined, 'yes', {}, Promise.resolve(false)]) {
      await expect(checkWith(allow(answer), claims, 'org_b')).rejects.toMatchObject(refused);
    }
    expect(seen.slice(0, 2)).toEqual([
      { id: 'org_b', name: 'b', asked: undefined, claims },
      { id: 'org_b', name: 'b', asked: 'org_b', claims },
    ]);
  });
});
