import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions, LoginOptions } from 'passport-oidc-hybrid';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const asked = (): Record<string, string> => flow.op.lastRequest('/authorize').parameters;
const login = (query: string): Promise<{ status: number; text: string; url: string }> =>
  flow.browser.navigate(`${flow.baseUrl}/login?return_to=/private${query}`);

describe('authorizationParams as a function', () => {
  const start = (authorizationParams: CommonOptions['authorizationParams']): Promise<Flow> =>
    startFlow({ oidc: { authorizationParams } });

  it('makes parameters of the request, now or later; undefined is none', async () => {
    flow = await start(async (req) => ({
      ui_locales: req.query['lang'] as string,
      display: undefined,
    }));
    expect((await login('&lang=de')).status).toBe(200);
    expect(asked()).toMatchObject({ ui_locales: 'de' });
    expect(asked()).not.toHaveProperty('display');
  });

  it.each([
    ['state', { state: 'mine' }],
    ['request', { request: 'mine' }],
    ['organization', { organization: 'mine' }],
    ['ui_locales', { ui_locales: 7 as unknown as string }],
  ])('sends nobody away with a wrong %s, and shows no value', async (name, parameters) => {
    flow = await start(() => parameters);
    const refused = await login('');
    expect([refused.status, errorCode(refused)]).toEqual([500, 'ERR_OIDC_OPTION_INVALID']);
    expect(refused.text).toContain(`authorizationParams.${name}`);
    expect(refused.text).not.toContain('mine');
    expect(flow.op.count('/authorize')).toBe(0);
    expect(await flow.browser.cookieNames(flow.baseUrl)).toEqual([]);
  });
});

describe('loginParams', () => {
  const start = (oidc: Partial<CommonOptions>): Promise<Flow> =>
    startFlow({ oidc: { loginParams: ['ui_locales', 'login_hint'], ...oidc } });

  it('lets the query of the login route set what it names, and nothing else', async () => {
    flow = await start({ authorizationParams: { ui_locales: 'en', display: 'page' } });
    expect((await login('&ui_locales=de&login_hint=ada&display=popup&state=x&foo=1')).status).toBe(
      200,
    );
    expect(asked()).toMatchObject({ ui_locales: 'de', login_hint: 'ada', display: 'page' });
    expect(asked()).not.toHaveProperty('foo');
    expect(asked()['state']).not.toBe('x');
  });

  it.each([
    ['there twice', '&ui_locales=de&ui_locales=en'],
    ['empty', '&ui_locales='],
    ['too long', `&ui_locales=${'d'.repeat(2049)}`],
  ])('refuses a parameter that is %s', async (_how, query) => {
    flow = await start({});
    const refused = await login(query);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_LOGIN_PARAMETER']);
    expect(flow.op.count('/authorize')).toBe(0);
  });

  const enforced = ['max_age', 'acr_values', 'organization'];

  it('passes on what is enforced, and enforces it', async () => {
    flow = await start({ loginParams: enforced });
    flow.op.claims = { acr: 'mfa' };
    const query = '&max_age=60&acr_values=mfa%20pin&organization=org_a';
    expect((await login(query)).status).toBe(200);
    expect(asked()).toMatchObject({
      max_age: '60',
      acr_values: 'mfa pin',
      organization: 'org_a',
    });
    flow.op.claims = { acr: 'password' };
    expect(errorCode(await login(query))).toBe('ERR_OIDC_ACR');
    flow.op.claims = { acr: 'mfa', org_id: 'org_b' };
    expect(errorCode(await login(query))).toBe('ERR_OIDC_ORGANIZATION');
    flow.op.claims = { acr: 'mfa', auth_time: flow.clock.now() / 1000 - 91 };
    expect(errorCode(await login(query))).toBe('ERR_OIDC_MAX_AGE');
  });

  it.each([
    ['acr_values', '&acr_values=password'],
    ['acr_values', '&acr_values=mfa%20password'],
    ['organization', '&organization=org_b'],
    ['max_age', '&max_age=soon'],
    ['acr_values', `&acr_values=${'mfa'.repeat(90)}`],
  ])('lets nobody loosen %s of the options: %s', async (_name, query) => {
    flow = await start({ loginParams: enforced, acrValues: 'mfa pin', organization: 'org_a' });
    const refused = await login(query);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_LOGIN_PARAMETER']);
    expect((await login('&acr_values=pin&organization=org_a')).status).toBe(200);
    expect(asked()).toMatchObject({ acr_values: 'pin', organization: 'org_a' });
  });

  it.each([{ values: ['mfa', 'pin'] }, { essential: true, values: ['mfa', 'pin'] }])(
    'lets nobody loosen acr by acr_values, where the claim is asked for: %j',
    async (acr) => {
      flow = await start({ loginParams: enforced, claims: { idToken: { acr } } });
      flow.op.claims = { acr: 'password' };
      const refused = await login('&acr_values=password');
      expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_LOGIN_PARAMETER']);
      flow.op.claims = { acr: 'pin' };
      expect((await login('&acr_values=pin')).status).toBe(200);
      expect(asked()).toMatchObject({ acr_values: 'pin' });
    },
  );

  it('takes the stricter age of the query and the options', async () => {
    flow = await start({ loginParams: enforced, maxAge: 100 });
    await login('&max_age=5000');
    expect(asked()).toMatchObject({ max_age: '100' });
    await login('&max_age=7');
    expect(asked()).toMatchObject({ max_age: '7' });
  });
});

describe('the options of one login', () => {
  const options: LoginOptions = {
    prompt: 'consent',
    loginHint: 'ada',
    acrValues: 'mfa',
    maxAge: 300,
    organization: 'org_a',
    authorizationParams: { connection: 'github' },
  };
  const sent = {
    prompt: 'consent',
    login_hint: 'ada',
    acr_values: 'mfa',
    max_age: '300',
    organization: 'org_a',
    connection: 'github',
  };

  it('are those of a guard', async () => {
    flow = await startFlow({
      oidc: { acrValues: 'password', maxAge: 3600, authorizationParams: { connection: 'google' } },
      routes: (app, oidc) => {
        app.get('/bank', oidc.requireAuth({ login: options }), (_req, res) => {
          res.send('the bank');
        });
      },
    });
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/bank`);
    expect([arrival.text, arrival.url]).toEqual(['the bank', `${flow.baseUrl}/bank`]);
    expect(asked()).toMatchObject(sent);
  });

  it('are those of a login route of the application, by a function of the request', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get(
          '/sign-up/:hint',
          oidc.login((req) => ({ ...options, loginHint: String(req.params['hint']) })),
        );
      },
    });
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/sign-up/eve?return_to=/private`);
    expect(arrival.url).toBe(`${flow.baseUrl}/private`);
    expect(asked()).toMatchObject({ ...sent, login_hint: 'eve' });
  });

  it.each([
    ['login.loginhint', { loginhint: 'ada' }, 'ERR_OIDC_OPTION_UNKNOWN'],
    ['login.prompt', { prompt: '' }, 'ERR_OIDC_OPTION_INVALID'],
    ['login.maxAge', { maxAge: -1 }, 'ERR_OIDC_OPTION_INVALID'],
    [
      'login.authorizationParams.nonce',
      { authorizationParams: { nonce: 'x' } },
      'ERR_OIDC_OPTION_INVALID',
    ],
  ])('name %s when it is wrong', async (option, wrong, code) => {
    flow = await startFlow();
    expect(() => flow.oidc.requireAuth({ login: wrong as LoginOptions })).toThrow(
      expect.objectContaining({ option, code }),
    );
  });
});

describe('a guard that asks for a certain login', () => {
  const start = (wanted: LoginOptions): Promise<Flow> =>
    startFlow({
      routes: (app, oidc) => {
        app.get('/bank', oidc.requireAuth({ login: wanted }), (req, res) => {
          res.json(req.oidc?.claims);
        });
      },
    });
  const bank = () => flow.browser.navigate(`${flow.baseUrl}/bank`);

  it.each([
    ['acr', { acrValues: 'mfa' }, { acr: 'mfa' }],
    ['organization', { organization: 'org_a' }, { org_id: 'org_a' }],
  ])(
    'leads who is signed in without this %s to another login, once',
    async (_name, ask, claims) => {
      flow = await start(ask);
      await flow.signIn();
      expect(json(await bank())).toMatchObject(claims);
      expect(flow.op.count('/authorize')).toBe(2);
      expect(json(await bank())).toMatchObject(claims);
      expect(flow.op.count('/authorize')).toBe(2);
    },
  );

  it('asks anew when the authentication gets too old', async () => {
    flow = await start({ maxAge: 600 });
    await bank();
    flow.clock.advance(600);
    await bank();
    expect(flow.op.count('/authorize')).toBe(1);
    flow.clock.advance(60);
    expect((await bank()).status).toBe(200);
    expect(flow.op.count('/authorize')).toBe(2);
  });

  it('keeps to what the login was when a refreshed ID Token does not repeat it', async () => {
    flow = await start({ acrValues: 'mfa', organization: 'org_a' });
    await bank();
    flow.op.lie({ refreshedIdToken: { claims: { acr: undefined, org_id: undefined } } });
    flow.clock.advance(3600);
    expect(json(await bank())).toMatchObject({ acr: 'mfa', org_id: 'org_a' });
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    expect(flow.op.count('/authorize')).toBe(1);
  });

  it('tells an API caller which login it takes, and gives a way there', async () => {
    flow = await start({ acrValues: 'mfa', loginHint: 'ada' });
    await flow.signIn();
    const refused = await flow.browser.fetch(`${flow.baseUrl}/bank`);
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_STEP_UP_REQUIRED']);
    expect(refused.headers['www-authenticate']).toContain('acr_values="mfa"');
    await flow.browser.navigate(`${flow.baseUrl}${json(refused)['login']}`);
    expect(asked()).toMatchObject({ acr_values: 'mfa', login_hint: 'ada' });
    expect((await flow.browser.fetch(`${flow.baseUrl}/bank`)).status).toBe(200);
  });
});
