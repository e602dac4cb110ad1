import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../../support/flow.ts';

let flow: Flow;
beforeEach(async () => {
  flow = await startFlow();
  await flow.signIn();
});
afterEach(() => flow.close());

const isSignedIn = async (): Promise<boolean> =>
  json(await flow.browser.navigate(flow.baseUrl))['claims'] !== null;

/** A logout up to its return, whose state the OP has changed. */
async function returnWith(change: (query: URLSearchParams) => void): Promise<[number, unknown]> {
  const { next } = await flow.browser.navigate(
    { method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl },
    ({ url }) => url.includes('/logout/callback'),
  );
  const url = new URL(next?.url ?? '');
  change(url.searchParams);
  const arrival = await flow.browser.navigate(url.href);
  return [arrival.status, errorCode(arrival)];
}

describe('oidcc-client-test-rp-init-logout', () => {
  it('sends hint, client, return URI and state to the OP, and comes back signed out', async () => {
    const sent = (): Record<string, string> => flow.op.lastRequest('/end_session').parameters;
    expect(await returnWith(() => undefined)).toEqual([200, undefined]);
    expect(Object.keys(sent()).sort()).toEqual([
      'client_id',
      'id_token_hint',
      'post_logout_redirect_uri',
      'state',
    ]);
    expect(await isSignedIn()).toBe(false);
  });
});

describe('oidcc-client-test-rp-init-logout-other-state', () => {
  it('refuses a return with another state; the login has ended all the same', async () => {
    const returned = await returnWith((query) => query.set('state', 'other'));
    expect(returned).toEqual([400, 'ERR_OIDC_LOGOUT_STATE']);
    expect(await isSignedIn()).toBe(false);
  });
});

describe('oidcc-client-test-rp-init-logout-no-state', () => {
  it('refuses a return without a state; the login has ended all the same', async () => {
    expect(await returnWith((query) => query.delete('state'))).toEqual([
      400,
      'ERR_OIDC_LOGOUT_STATE',
    ]);
    expect(await isSignedIn()).toBe(false);
  });
});
