import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function signInWith(
  oidc: Partial<CommonOptions>,
  claims: Record<string, unknown> = {},
): Promise<[number, unknown]> {
  flow = await startFlow({ oidc });
  flow.op.lie({ backIdToken: { claims } });
  const arrival = await flow.signIn();
  return [arrival.status, errorCode(arrival)];
}

const now = Math.floor(Date.now() / 1000);

describe('Core 3.1.2.1 max_age', () => {
  it.each([0, 60])('of %i is sent, and met', async (maxAge) => {
    expect(await signInWith({ maxAge })).toEqual([200, undefined]);
    expect(flow.op.lastRequest('/authorize').parameters['max_age']).toBe(String(maxAge));
  });

  it.each([0, 60])('of %i is enforced', async (maxAge) => {
    const claims = { auth_time: now - maxAge - 40 };
    expect(await signInWith({ maxAge }, claims)).toEqual([400, 'ERR_OIDC_MAX_AGE']);
  });

  it.each([
    ['milliseconds', now * 1000],
    ['the future', now + 100_000],
  ])('takes no auth_time of %s for a new authentication', async (_what, auth_time) => {
    expect(await signInWith({ maxAge: 60 }, { auth_time })).toEqual([
      400,
      'ERR_OIDC_AUTH_TIME_MISSING',
    ]);
  });

  it('asks for auth_time', async () => {
    expect(await signInWith({ maxAge: 60 }, { auth_time: undefined })).toEqual([
      400,
      'ERR_OIDC_AUTH_TIME_MISSING',
    ]);
  });
});

describe('Core 3.1.2.1 acr_values', () => {
  it('are sent, and one of them has to come back', async () => {
    expect(await signInWith({ acrValues: 'gold silver' }, { acr: 'silver' })).toEqual([
      200,
      undefined,
    ]);
    expect(flow.op.lastRequest('/authorize').parameters['acr_values']).toBe('gold silver');
  });

  it.each([['bronze'], [undefined]])('are enforced: %s', async (acr) => {
    expect(await signInWith({ acrValues: 'gold silver' }, { acr })).toEqual([400, 'ERR_OIDC_ACR']);
  });
});

describe('Auth0, Work with Tokens and Organizations: organization', () => {
  it.each([
    ['org_1', { org_id: 'org_1' }],
    ['acme', { org_id: 'org_1', org_name: 'acme' }],
    ['Acme', { org_id: 'org_1', org_name: 'acme' }],
  ])('%s is sent, and met by %j', async (organization, claims) => {
    expect(await signInWith({ organization }, claims)).toEqual([200, undefined]);
    expect(flow.op.lastRequest('/authorize').parameters['organization']).toBe(organization);
  });

  it.each([
    ['org_1', { org_id: 'org_2' }],
    ['org_1', { org_id: undefined }],
    ['org_1', { org_id: 'ORG_1' }],
    ['acme', { org_id: 'acme', org_name: undefined }],
    ['acme', { org_id: 'org_1', org_name: 'other' }],
  ])('%s is enforced: %j', async (organization, claims) => {
    expect(await signInWith({ organization }, claims)).toEqual([400, 'ERR_OIDC_ORGANIZATION']);
  });
});
