import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import type { Arrival, Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const portal = 'https://portal.example';

const start = (
  oidc: Partial<CommonOptions> = {},
  sameSite: 'lax' | 'strict' = 'lax',
  path?: string,
): Promise<Flow> =>
  startFlow({
    oidc: { initiateLogin: true, ...oidc },
    session: { cookie: { sameSite, secure: 'auto' }, saveUninitialized: true },
    ...(path === undefined ? {} : { path }),
  });

/** A link or a form of another site. */
function initiate(
  method: 'GET' | 'POST',
  parameters: Record<string, string> | [string, string][],
  browser: Browser = flow.browser,
): Promise<Arrival> {
  const text = new URLSearchParams(parameters).toString();
  const url = `${flow.baseUrl}/initiate-login`;
  return method === 'GET'
    ? browser.navigate({ method, url: `${url}?${text}`, from: portal })
    : browser.navigate({ method, url, body: text, from: portal });
}

describe.each(['GET', 'POST'] as const)(
  'Core 4 a login that a third party begins by %s',
  (method) => {
    it.each(['lax', 'strict'] as const)(
      'leads to the target, with the hint, and keeps the session of a %s cookie',
      async (sameSite) => {
        flow = await start({}, sameSite);
        await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
        const arrival = await initiate(method, {
          iss: flow.op.issuer,
          login_hint: 'ada@shop.example',
          target_link_uri: `${flow.baseUrl}/private?tab=1`,
        });
        expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?tab=1` });
        expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
        expect(flow.op.lastRequest('/authorize').parameters['login_hint']).toBe('ada@shop.example');
      },
    );

    it('leads to the start page without a target, and sends no hint without one', async () => {
      flow = await start();
      const arrival = await initiate(method, { iss: flow.op.issuer });
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(flow.op.lastRequest('/authorize').parameters).not.toHaveProperty('login_hint');
    });

    it('sets no cookie by itself, not even one of the session', async () => {
      flow = await start();
      const { history } = await initiate(method, { iss: flow.op.issuer });
      expect(history[0]).toMatchObject({ status: 200, setCookies: [] });
    });

    it.each([
      ['another issuer', { iss: 'https://evil.example' }],
      ['none', { iss: '' }],
    ])('refuses %s', async (_what, parameters) => {
      flow = await start();
      const refused = await initiate(method, parameters);
      expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_INITIATION_ISS']);
      expect(flow.op.count('/authorize')).toBe(0);
    });

    it.each(['iss', 'login_hint', 'target_link_uri'])('refuses two of %s', async (name) => {
      flow = await start();
      const { issuer } = flow.op;
      const value =
        { iss: issuer, login_hint: 'a', target_link_uri: `${flow.baseUrl}/` }[name] ?? '';
      const twice: [string, string][] = [
        ['iss', issuer],
        [name, value],
      ];
      const refused = await initiate(method, name === 'iss' ? twice : [...twice, [name, value]]);
      expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_INITIATION_PARAMETER']);
    });

    it('refuses a hint that is too long', async () => {
      flow = await start();
      const hint = { iss: flow.op.issuer, login_hint: 'a'.repeat(2049) };
      expect(errorCode(await initiate(method, hint))).toBe('ERR_OIDC_INITIATION_PARAMETER');
      const fitting = { iss: flow.op.issuer, login_hint: 'a'.repeat(1000) };
      expect(await initiate(method, fitting)).toMatchObject({ status: 200 });
    });
  },
);

describe('Core 4 target_link_uri', () => {
  const targets = (base: string): string[] => [
    'https://evil.example/',
    '//evil.example/',
    '/private',
    'javascript:alert(1)',
    `${base}.evil.example/`,
    `${base}@evil.example/`,
    `${base}:80@evil.example/`,
    `${base.replace('http://', 'http://user@')}/private`,
    `${base}//evil.example/`,
    `${base}/\\evil.example/`,
    `${base}/.//evil.example/`,
    `${base.replace('localhost', '127.0.0.1')}/private`,
    `${base}/login`,
    `${base}/initiate-login?iss=x`,
    `${base}/logout`,
    `${base}/callback`,
    ` ${base}/private`,
    `${base}/a\nb`,
  ];

  it('is a page of this application, or no login begins', async () => {
    flow = await start();
    for (const target_link_uri of targets(flow.baseUrl)) {
      const refused = await initiate('GET', { iss: flow.op.issuer, target_link_uri });
      expect([target_link_uri, refused.status, errorCode(refused)]).toEqual([
        target_link_uri,
        400,
        'ERR_OIDC_INITIATION_TARGET',
      ]);
    }
    expect(flow.op.count('/authorize')).toBe(0);
  });

  it('is below the path of baseUrl', async () => {
    flow = await start({}, 'lax', '/shop');
    const { origin } = new URL(flow.baseUrl);
    const { issuer: iss } = flow.op;
    for (const path of ['/', '/shopping', '/shop/../admin', '/shop/%2e%2e/admin']) {
      const refused = await initiate('GET', { iss, target_link_uri: `${origin}${path}` });
      expect([path, errorCode(refused)]).toEqual([path, 'ERR_OIDC_INITIATION_TARGET']);
    }
    const target_link_uri = `${flow.baseUrl}/private`;
    expect(await initiate('GET', { iss, target_link_uri })).toMatchObject({ url: target_link_uri });
  });
});

describe('the route that initiates logins', () => {
  it('is not there without the option', async () => {
    flow = await start({ initiateLogin: false });
    const { status } = await initiate('GET', { iss: flow.op.issuer });
    expect([status, flow.op.count('/authorize')]).toEqual([404, 0]);
  });

  it('is not for frames, images and fetch', async () => {
    flow = await start();
    const url = `${flow.baseUrl}/initiate-login?iss=${encodeURIComponent(flow.op.issuer)}`;
    for (const destination of ['iframe', 'image', 'empty']) {
      const headers = { 'Sec-Fetch-Dest': destination };
      const refused = await flow.browser.perform({ method: 'GET', url, from: portal, headers });
      expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_NOT_A_NAVIGATION']);
    }
  });

  it('takes another login than that of whoever is signed in, and carries nothing over to it', async () => {
    flow = await start();
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/cart/cup`);
    flow.op.subject = 'eve';
    const target_link_uri = `${flow.baseUrl}/private`;
    const arrival = await initiate('POST', { iss: flow.op.issuer, target_link_uri });
    expect(json(arrival)).toMatchObject({ sub: 'eve', cart: [] });
  });
});
