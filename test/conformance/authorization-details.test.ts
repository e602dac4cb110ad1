import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { AuthorizationDetail, CommonOptions, VerifiedLogin } from 'passport-oidc-hybrid';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { expectRefusal } from '../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

const payment: AuthorizationDetail = {
  type: 'payment_initiation',
  actions: ['initiate'],
  instructedAmount: { currency: 'EUR', amount: '12.50' },
};
const account: AuthorizationDetail = { type: 'account_information', actions: ['read'] };

const start = (authorizationDetails: CommonOptions['authorizationDetails'], oidc: object = {}) =>
  startFlow({
    oidc: { authorizationDetails, ...oidc },
    routes: (app, { requireAuth, errorHandler }) => {
      app.get('/details', requireAuth(), (req, res) => {
        res.json(req.oidc.authorizationDetails);
      });
      app.get('/one', requireAuth(), async (req, res) => {
        const target = { authorizationDetails: [account] };
        const { value } = await req.oidc.accessToken(target);
        res.json({ value, details: req.oidc.authorizationDetails });
      });
      app.get('/wrong', requireAuth(), async (req, res) => {
        res.json(await req.oidc.accessToken({ authorizationDetails: [{ type: '' }] }));
      });
      app.use(errorHandler());
    },
  });

const sent = (path = '/authorize', name = 'authorization_details'): unknown =>
  JSON.parse(flow.op.lastRequest(path).parameters[name] ?? 'null');

describe('RFC 9396 2 authorization details in the request', () => {
  it('are sent as JSON, and what was granted is there for the application', async () => {
    const seen: VerifiedLogin['authorizationDetails'][] = [];
    const verify = ({ authorizationDetails, claims }: VerifiedLogin) =>
      seen.push(authorizationDetails) && claims.sub;
    flow = await start([payment, account], { verify });
    await flow.signIn();
    expect(sent()).toEqual([payment, account]);
    expect(seen).toEqual([[payment, account]]);
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/details`))).toEqual([payment, account]);
  });

  it('are made for each login by a function of its request', async () => {
    flow = await start(async (req) => [{ ...payment, identifier: String(req.query['order']) }]);
    await flow.browser.navigate(`${flow.baseUrl}/login?order=7`);
    expect(sent()).toEqual([{ ...payment, identifier: '7' }]);
  });

  it('are pushed, where requests are', async () => {
    flow = await start([payment], { pushedAuthorizationRequests: 'always' });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(sent('/par')).toEqual([payment]);
    expect(flow.op.lastRequest('/authorize').parameters).not.toHaveProperty(
      'authorization_details',
    );
  });

  it('stand in a request object as what they are', async () => {
    const clientSecret = 'a client secret that is long enough to sign with';
    flow = await start([payment], { requestObject: {}, clientSecret });
    flow.op.clientSecret = clientSecret;
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const { request = '' } = flow.op.lastRequest('/authorize').parameters;
    expect(decodeJwt(request)['authorization_details']).toEqual([payment]);
  });

  it('are none of the parameters that a visitor or another option may set', async () => {
    flow = await start([payment], {
      authorizationParams: async () => ({ authorization_details: '' }),
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_OPTION_INVALID');
    expect(() => start([payment], { loginParams: ['authorization_details'] })).rejects.toThrow();
  });

  it.each([[[{}]], [['payment']], [[{ type: '' }]], [{ type: 'a' }], ['a'], [[null]]])(
    'sends nobody away with %j',
    async (wrong) => {
      await expect(start(wrong as unknown as [])).rejects.toMatchObject({
        code: 'ERR_OIDC_OPTION_INVALID',
        option: 'authorizationDetails',
      });
      flow = await start(() => wrong as unknown as []);
      const refused = await flow.signIn();
      expect([refused.status, errorCode(refused)]).toEqual([500, 'ERR_OIDC_OPTION_INVALID']);
      expect(flow.op.count('/authorize')).toBe(0);
    },
  );
});

describe('RFC 9396 7 authorization details in the token response', () => {
  const granting = (authorization_details: unknown) => ({
    token: { json: (body: Record<string, unknown>) => ({ ...body, authorization_details }) },
  });

  it.each<[string, unknown]>([
    ['none', undefined],
    ['null', null],
    ['an empty list', []],
    ['no list', payment],
    ['a list of texts', ['payment_initiation']],
    ['one without a type', [{ actions: ['initiate'] }]],
    ['a type that was not asked for', [payment, { type: 'everything' }]],
  ])('are refused: %s', async (_what, granted) => {
    flow = await start([payment]);
    await expectRefusal(flow, granting(granted), 'AUTHORIZATION_DETAILS');
  });

  it('may be fewer, and more precise', async () => {
    flow = await start([payment, account]);
    const granted = [{ ...account, locations: ['https://bank.example/accounts/7'] }];
    flow.op.lie(granting(granted));
    await flow.signIn();
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/details`))).toEqual(granted);
  });

  it('are not looked at where nothing was asked for', async () => {
    flow = await start(undefined);
    flow.op.lie(granting([payment]));
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/details`))).toEqual([]);
    expect(flow.op.lastRequest('/authorize').parameters).not.toHaveProperty(
      'authorization_details',
    );
  });
});

describe('RFC 9396 6 authorization details and refreshes', () => {
  const refreshed = (authorization_details: unknown) => ({
    refresh: { json: (body: Record<string, unknown>) => ({ ...body, authorization_details }) },
  });
  const details = () => flow.browser.fetch(`${flow.baseUrl}/details`);

  it('stay where a refresh says nothing of them, and follow it where it does', async () => {
    flow = await start([payment, account]);
    await flow.signIn();
    flow.op.lie(refreshed(undefined));
    flow.clock.advance(3600);
    expect(json(await details())).toEqual([payment, account]);
    flow.op.lie(refreshed([account]));
    flow.clock.advance(3600);
    expect(json(await details())).toEqual([account]);
    expect(flow.op.refreshes.granted).toBe(2);
    expect(flow.op.lastRequest('/token').parameters).not.toHaveProperty('authorization_details');
  });

  it('end the login where a refresh brings a type that was not granted', async () => {
    flow = await start([payment]);
    await flow.signIn();
    flow.op.lie(refreshed([account]));
    flow.clock.advance(3600);
    const ended = await details();
    expect([ended.status, errorCode(ended)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
  });

  it('can be asked for one by one, for an access token that may do no more', async () => {
    flow = await start([payment, account]);
    await flow.signIn();
    const { value, details: ofLogin } = json(await flow.browser.fetch(`${flow.baseUrl}/one`));
    expect(sent('/token')).toEqual([account]);
    expect(ofLogin).toEqual([payment, account]);
    const again = json(await flow.browser.fetch(`${flow.baseUrl}/one`));
    expect(again['value']).toBe(value);
    expect(flow.op.refreshes.granted).toBe(1);
  });

  it('are checked when they are asked for', async () => {
    flow = await start([payment]);
    await flow.signIn();
    const refused = await flow.browser.fetch(`${flow.baseUrl}/wrong`);
    expect([refused.status, errorCode(refused)]).toEqual([500, 'ERR_OIDC_OPTION_INVALID']);
  });
});
