import { afterEach, describe, expect, it } from '@jest/globals';
import type { Arrival } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';
import { profiles } from '../../support/profiles.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Statuses of our own answers that lead on. A browser repeats a POST with its body after 307 and 308. */
const redirects = ({ history }: Arrival): number[] =>
  history
    .filter(({ url, status }) => url.startsWith(flow.baseUrl) && status >= 300 && status < 400)
    .map(({ status }) => status);

describe('RFC 9700 4.12 a redirect that takes a body along', () => {
  it.each(profiles)('is none of a login by "%s" and %s', async (responseType, responseMode) => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    const statuses = redirects(await flow.signIn());
    expect(statuses.length).toBeGreaterThan(1);
    expect(new Set(statuses)).toEqual(new Set([303]));
  });

  it.each(['GET', 'POST'] as const)('is none of a logout by %s', async (method) => {
    flow = await startFlow();
    await flow.signIn();
    const arrival = await flow.browser.navigate({
      method,
      url: `${flow.baseUrl}/logout`,
      from: flow.baseUrl,
      ...(method === 'POST' ? { body: 'x=1' } : {}),
    });
    expect(arrival.status).toBe(200);
    const statuses = redirects(arrival);
    expect(statuses.length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set([303]));
  });
});
