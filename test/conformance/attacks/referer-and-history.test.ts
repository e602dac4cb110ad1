import { afterEach, describe, expect, it } from '@jest/globals';
import type { Arrival, Visit } from '../../support/browser.ts';
import { type Flow, startFlow } from '../../support/flow.ts';
import { profiles } from '../../support/profiles.ts';

let flow: Flow;
afterEach(() => flow.close());

const ofOurs = ({ history }: Arrival): Visit[] =>
  history.filter(({ url }) => url.startsWith(flow.baseUrl));

/** What must not be read by whoever has a URL, a Referer or a cached page. */
const secrets = (): string[] => {
  const { back, front } = flow.op.accessTokens;
  const { code = '', code_verifier = '' } = flow.op.lastRequest('/token').parameters;
  return [...back, ...front, code, code_verifier];
};

describe.each([...profiles, ['code id_token', 'fragment'] as const])(
  'RFC 9700 4.2, 4.3 a login by "%s" and %s',
  (responseType, responseMode) => {
    it('leaves nothing in caches and Referers on its way', async () => {
      flow = await startFlow({ oidc: { responseType, responseMode } });
      const visits = ofOurs(await flow.signIn()).slice(0, -1);
      expect(visits.length).toBeGreaterThan(1);
      for (const { headers } of visits) {
        expect(headers['cache-control']).toBe('no-store');
        expect(['no-referrer', 'same-origin']).toContain(headers['referrer-policy']);
      }
    });

    // A fragment is sent nowhere, and its page takes it out of the history.
    it('has no secret in the URL of a page that stays, and a code in none but of a query', async () => {
      flow = await startFlow({ oidc: { responseType, responseMode } });
      const arrival = await flow.signIn();
      expect(arrival.url).toBe(`${flow.baseUrl}/private`);
      for (const { url, status, text } of ofOurs(arrival)) {
        const found = secrets().filter((secret) => url.replace(/#.*/, '').includes(secret));
        const isLedOn = status === 303 || /<meta http-equiv="refresh"/.test(text);
        const code = flow.op.lastRequest('/token').parameters['code'];
        expect(found).toEqual(responseMode === 'query' && isLedOn && found.length ? [code] : []);
      }
    });
  },
);
