import { afterEach, describe, expect, it } from '@jest/globals';
import type { Auth0Options } from 'passport-oidc-hybrid';
import { startAuth0Flow } from '../support/auth0-flow.ts';
import type { Auth0Op } from '../support/auth0-op.ts';
import { errorCode, json } from '../support/flow.ts';
import type { ProviderFlow } from '../support/provider-flow.ts';

let flow: ProviderFlow<Auth0Op>;
afterEach(() => flow.close());

const start = async (...setup: Parameters<typeof startAuth0Flow>): Promise<void> => {
  flow = await startAuth0Flow(...setup);
};
const visit = (path: string) => flow.browser.navigate(`${flow.baseUrl}${path}`);
const api = () => flow.browser.fetch(`${flow.baseUrl}/api/orders`);

describe('organizations', () => {
  it.each([
    ['by id', 'org_acme', false, { org_id: 'org_acme' }],
    ['by id, with names', 'org_acme', true, { org_id: 'org_acme', org_name: 'acme' }],
    ['by name', 'acme', true, { org_id: 'org_acme', org_name: 'acme' }],
  ])('are asked for and come back %s', async (_how, organization, hasOrganizationNames, claims) => {
    await start({ organization });
    flow.op.settings.hasOrganizationNames = hasOrganizationNames;
    expect(json(await visit('/profile'))).toMatchObject(claims);
  });

  it.each([
    ['another id', 'org_acme', { org_id: 'org_other' }],
    ['another name', 'acme', { org_name: 'other' }],
    ['none', 'org_acme', { org_id: undefined }],
  ])('that come back as %s are refused', async (_what, organization, claims) => {
    await start({ organization });
    Object.assign(flow.op.settings, { hasOrganizationNames: true, claims });
    const refused = await visit('/profile');
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_ORGANIZATION']);
    expect((await api()).status).toBe(401);
  });

  it.each([
    ['without a rule', {}, 400],
    ['with another one on the list', { allowedOrganizations: ['org_other'] }, 400],
    ['on the list', { allowedOrganizations: ['org_acme'] }, 200],
    [
      'by a function',
      { allowedOrganizations: ({ id }: { id?: unknown }) => id === 'org_acme' },
      200,
    ],
    ['by a function that says no', { allowedOrganizations: () => false }, 400],
  ])('that were picked at the prompt and come unasked, %s', async (_rule, options, status) => {
    await start(options as Partial<Auth0Options>);
    flow.op.settings.pickedOrganization = 'org_acme';
    expect((await visit('/profile')).status).toBe(status);
  });

  it('of a route are asked of who is signed in without', async () => {
    await start({}, {}, { login: { organization: 'org_acme' } });
    expect(json(await visit('/profile'))).not.toHaveProperty('org_id');
    expect(json(await visit('/guarded'))).toMatchObject({ org_id: 'org_acme' });
  });
});

describe('an invitation link', () => {
  const link = (query: Record<string, string>) =>
    visit(
      `/login?${new URLSearchParams({ ...query, organization_name: 'Acme', return_to: '/profile' })}`,
    );

  it('goes on to Auth0, and signs in with the organization', async () => {
    await start();
    expect(json(await link(flow.op.invitation))).toMatchObject({ org_id: 'org_acme' });
    expect(flow.op.asked()).toMatchObject(flow.op.invitation);
    expect(flow.op.asked()).not.toHaveProperty('organization_name');
  });

  it.each([
    ['with another ticket', { invitation: 'made-up' }, 403, 'ERR_OIDC_OP_ERROR'],
    ['to another organization', { organization: 'org_other' }, 403, 'ERR_OIDC_OP_ERROR'],
  ])('%s is refused', async (_how, change, status, code) => {
    await start();
    const refused = await link({ ...flow.op.invitation, ...change });
    expect([refused.status, errorCode(refused)]).toEqual([status, code]);
  });

  it('leads no application of one organization to another one', async () => {
    await start({ organization: 'org_other' });
    const refused = await link(flow.op.invitation);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_LOGIN_PARAMETER']);
    expect(flow.op.requests).toEqual([]);
  });

  it.each([
    ['org_acme', 200],
    ['org_other', 400],
  ])('of anybody to %s is no way around the list', async (organization, status) => {
    await start({ allowedOrganizations: ['org_acme'] });
    expect((await link({ organization })).status).toBe(status);
    expect(flow.op.asked()).toMatchObject({ organization });
    expect((await api()).status).toBe(status === 200 ? 200 : 401);
  });

  it('is not forwarded where the application takes nothing from the query', async () => {
    await start({ loginParams: [] });
    await link(flow.op.invitation);
    expect(flow.op.asked()).not.toHaveProperty('invitation');
    expect(flow.op.asked()).not.toHaveProperty('organization');
  });
});
