import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import helmet from 'helmet';
import passport from 'passport';
import { authorizationScript } from '../../lib/http/authorization-page.ts';
import type { Arrival } from '../support/browser.ts';
import { type Flow, type FlowSetup, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const post = { authorizationRequestMethod: 'post' } as const;

/** The page on the way to the OP, which the browser has not left. */
async function page(setup: FlowSetup = {}, path = '/login'): Promise<Arrival> {
  flow = await startFlow({ ...setup, oidc: { ...post, ...setup.oidc } });
  return flow.browser.navigate(`${flow.baseUrl}${path}`, ({ method }) => method === 'POST');
}

describe('an authorization request by POST', () => {
  it.each([
    ['the login route', '/login?return_to=/private'],
    ['requireAuth', '/private'],
  ])('from %s ends signed in, with no parameter in a URL', async (_who, path) => {
    flow = await startFlow({ oidc: post });
    const arrival = await flow.browser.navigate(`${flow.baseUrl}${path}`);
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
    const { method, parameters } = flow.op.lastRequest('/authorize');
    expect(method).toBe('POST');
    expect(parameters).toMatchObject({
      client_id: 'client',
      response_type: 'code id_token',
      code_challenge_method: 'S256',
    });
    expect(arrival.history.map(({ url }) => url)).toContain(`${flow.op.issuer}/authorize`);
  });

  it('from a form on a guarded page goes back to the page', async () => {
    flow = await startFlow({ oidc: post });
    const arrival = await flow.browser.navigate({
      method: 'POST',
      url: `${flow.baseUrl}/api/x`,
      from: flow.baseUrl,
      headers: { Referer: `${flow.baseUrl}/private` },
      body: 'a=b',
    });
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
  });

  it('from the Passport strategy is the same', async () => {
    const arrival = await page({
      before: (app) => void app.use(passport.initialize()),
      router: (app, oidc) => {
        passport.use(oidc.strategy(() => true));
        app.get('/login', passport.authenticate('oidc'));
      },
    });
    expect([arrival.status, arrival.next?.url]).toEqual([200, `${flow.op.issuer}/authorize`]);
    expect(arrival.setCookies.join()).toContain('.tx.');
  });

  it('keeps the query of the authorization endpoint, and its parameters as they are', async () => {
    flow = await startFlow({
      oidc: { ...post, authorizationParams: { submit: 'a"b', login_hint: '<ada&co>' } },
    });
    const endpoint = `${flow.op.issuer}/authorize?tenant=1&x=%22`;
    flow.op.lie({ discovery: { json: (body) => ({ ...body, authorization_endpoint: endpoint }) } });
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/login`, () => true);
    expect(next?.url).toBe(endpoint);
    const parameters = Object.fromEntries(new URLSearchParams(next?.body));
    expect(parameters).toMatchObject({ submit: 'a"b', login_hint: '<ada&co>' });
  });
});

describe('its page', () => {
  it('has a policy that allows its script by hash and lets the form go, also behind a helmet', async () => {
    const { headers, text } = await page({ before: (app) => void app.use(helmet()) });
    const source = /<script>(.*)<\/script>/.exec(text)?.[1] ?? '';
    const hash = `sha256-${createHash('sha256').update(source).digest('base64')}`;
    expect(source).toBe(authorizationScript.source);
    expect(headers['content-security-policy']).toContain(
      `script-src '${hash}'; form-action https: http:; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'strict-origin',
    });
  });

  it('has a button for browsers without scripts', async () => {
    expect((await page()).text).toMatch(/<button class="main late">Continue/);
  });

  it.each([
    ['https:', 'https://app.example', 'https://op.example/authorize'],
    ['https: http:', 'https://app.example', 'http://127.0.0.1:1/authorize'],
    ['https: http:', 'http://localhost:1', 'https://op.example/authorize'],
  ])('lets the form go to %s from %s to %s', async (allowed, baseUrl, endpoint) => {
    flow = await startFlow({ oidc: { ...post, baseUrl } });
    flow.op.lie({ discovery: { json: (body) => ({ ...body, authorization_endpoint: endpoint }) } });
    const { port } = new URL(flow.baseUrl);
    const { headers } = await flow.browser.navigate(`http://localhost:${port}/login`, () => true);
    expect(headers['content-security-policy']).toContain(`; form-action ${allowed}; base-uri`);
  });
});
