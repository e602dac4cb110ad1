import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';
import { type ResourceServer, startResourceServer } from '../support/resource-server.ts';

// Express 4 under another name, which has no types of its own.
const { default: express4 } = (await import('express4' as string)) as { default: typeof express };

let flow: CertifiedFlow;
let billing: ResourceServer | undefined;
afterEach(async () => {
  await billing?.close();
  billing = undefined;
  await flow.close();
});

const responseTypes = ['code', 'code id_token', 'code token', 'code id_token token'] as const;
const responseModes = (type: string): ('form_post' | 'query' | 'fragment')[] =>
  type === 'code' ? ['form_post', 'query'] : ['form_post', 'fragment'];
const ways = responseTypes.flatMap((type) =>
  responseModes(type).map((mode) => [type, mode] as const),
);

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('on %s, with a certified OP', (_name, expressModule) => {
  it.each(ways)(
    '"%s" by %s: sign in, call the API, refresh, sign out',
    async (responseType, responseMode) => {
      flow = await startCertifiedFlow({ oidc: { responseType, responseMode }, expressModule });
      const browser = new Browser();
      const arrival = await browser.navigate(`${flow.baseUrl}/profile`);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/profile` });
      expect(json(arrival)).toMatchObject({
        sub: 'ada',
        iss: flow.op.issuer,
        aud: flow.op.clientId,
      });

      const tokens = new Set<unknown>();
      for (let round = 0; round < 4; round += 1) {
        const answer = await browser.fetch(`${flow.baseUrl}/api/orders`, {
          headers: { Authorization: 'Bearer of-the-caller' },
        });
        expect(answer.status).toBe(200);
        const { sub, cookie, authorization } = json(answer);
        expect([sub, cookie]).toEqual(['ada', undefined]);
        tokens.add(authorization);
        flow.clock.advance(31);
      }
      expect(tokens.size).toBe(4);
      expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 3, refused: 0 });

      const logout = { method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl } as const;
      const left = await browser.navigate(logout);
      expect(left).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(left.history.some(({ url }) => url.startsWith(`${flow.op.issuer}/session/end`))).toBe(
        true,
      );
      expect(json(left)).toEqual({ sub: null });
      expect((await browser.fetch(`${flow.baseUrl}/api/orders`)).status).toBe(401);
    },
  );
});

describe('with a certified OP', () => {
  it.each(['client_secret_basic', 'client_secret_post', undefined] as const)(
    'signs in by %s',
    async (tokenEndpointAuthMethod) => {
      flow = await startCertifiedFlow({ oidc: { tokenEndpointAuthMethod } });
      const arrival = await new Browser().navigate(`${flow.baseUrl}/profile`);
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/profile` });
    },
  );

  it('a user who cancels gets a page with another try', async () => {
    flow = await startCertifiedFlow({ oidc: { authorizationParams: { login_hint: 'cancel' } } });
    const arrival = await new Browser().navigate(`${flow.baseUrl}/profile`);
    expect([arrival.status, errorCode(arrival)]).toEqual([403, 'ERR_OIDC_ACCESS_DENIED']);
    expect(arrival.text).toContain('href="/login?return_to=%2Fprofile"');
  });

  it('a second login finds the session at the OP, and meets max_age', async () => {
    flow = await startCertifiedFlow({ oidc: { maxAge: 3600 } });
    const browser = new Browser();
    const first = json(await browser.navigate(`${flow.baseUrl}/profile`));
    const again = await browser.navigate(`${flow.baseUrl}/login?return_to=/profile`);
    expect(json(again)).toMatchObject({ sub: 'ada', auth_time: first['auth_time'] });
  });
});

describe('two APIs, each of which takes no token but its own', () => {
  const audience = 'https://billing.example';

  it('are called with one login', async () => {
    flow = await startCertifiedFlow({
      oidc: { resource: ['https://api.example', audience] },
      routes: (app, oidc) => {
        app.get('/bill', oidc.requireAuth({ resource: audience }), async (req, res) => {
          const answer = await req.oidc?.fetch(String(billing?.url));
          res.status(answer?.status ?? 0).json(await answer?.json());
        });
        app.get('/wrong', oidc.requireAuth(), async (req, res) => {
          const answer = await req.oidc?.fetch(String(billing?.url));
          res.status(answer?.status ?? 0).end();
        });
      },
    });
    billing = await startResourceServer({ op: { ...flow.op, audience } });
    const browser = new Browser();
    await browser.navigate(`${flow.baseUrl}/profile`);
    for (let round = 1; round <= 3; round += 1) {
      const paths = ['/api/orders', '/bill', '/api/orders', '/bill'];
      const answers = await Promise.all(
        paths.map((path) => browser.fetch(`${flow.baseUrl}${path}`)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      // The first round finds the token of the login fresh.
      expect(flow.op.grants).toMatchObject({ refresh_token: 2 * round - 1, refused: 0 });
      flow.clock.advance(61);
    }
    expect(await browser.fetch(`${flow.baseUrl}/wrong`)).toMatchObject({ status: 401 });
  });
});
