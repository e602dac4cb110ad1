import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { type ClaimsOption, type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { expectRefusal } from '../support/refusals.ts';

let flow: Flow;

const start = (oidc: Partial<CommonOptions>): Promise<Flow> =>
  startFlow({
    oidc,
    routes: (app, { requireAuth, errorHandler }) => {
      app.get('/claims', requireAuth(), (req, res) => {
        res.json(req.oidc?.claims);
      });
      app.get('/userinfo', requireAuth({ accessToken: false }), async (req, res) => {
        res.json(await req.oidc?.userinfo());
      });
      const login = { acrValues: 'platinum' };
      app.get('/vault', requireAuth({ login }), (req, res) => {
        res.json(req.oidc?.claims);
      });
      app.use(errorHandler());
    },
  });

describe('Core 5.5 the claims parameter', () => {
  afterEach(() => flow.close());

  it('says what the option says, under its wire names', async () => {
    flow = await start({
      claims: {
        idToken: { email: { essential: true }, auth_time: null, acr: { values: ['a', 'b'] } },
        userinfo: { name: null },
      },
    });
    flow.op.claims = { email: 'ada@shop.example', acr: 'b' };
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(JSON.parse(flow.op.lastRequest('/authorize').parameters['claims'] ?? '')).toEqual({
      id_token: { email: { essential: true }, auth_time: null, acr: { values: ['a', 'b'] } },
      userinfo: { name: null },
    });
  });

  it('is not sent where nothing is asked for', async () => {
    flow = await start({ claims: { idToken: {} } });
    await flow.signIn();
    expect(flow.op.lastRequest('/authorize').parameters).not.toHaveProperty('claims');
  });

  it('stands in a request object as an object (Core 6.1)', async () => {
    const clientSecret = 'a client secret that is long enough to sign with';
    flow = await startFlow({
      oidc: { claims: { userinfo: { name: null } }, requestObject: {}, clientSecret },
    });
    flow.op.clientSecret = clientSecret;
    await flow.signIn();
    const { request = '' } = flow.op.lastRequest('/authorize').parameters;
    expect(decodeJwt(request)['claims']).toEqual({ userinfo: { name: null } });
  });
});

describe('Core 5.5.1 claims of the ID Token', () => {
  afterEach(() => flow.close());

  it.each<[string, ClaimsOption['idToken'], Record<string, unknown>, string]>([
    ['essential', { email: { essential: true } }, { email: undefined }, 'CLAIM_MISSING'],
    ['essential', { email: { essential: true } }, { email: null }, 'CLAIM_MISSING'],
    ['essential', { valueOf: { essential: true } }, { valueOf: undefined }, 'CLAIM_MISSING'],
    ['of a value', { email: { value: 'e' } }, { email: 'E' }, 'CLAIM_VALUE'],
    ['of values', { acr: { essential: true, values: ['a', 'b'] } }, { acr: 'c' }, 'CLAIM_VALUE'],
    ['of values', { acr: { essential: true, values: ['a'] } }, { acr: undefined }, 'CLAIM_MISSING'],
    ['of a list', { amr: { value: ['pwd', 'otp'] } }, { amr: ['pwd'] }, 'CLAIM_VALUE'],
    ['of another type', { level: { value: 2 } }, { level: '2' }, 'CLAIM_VALUE'],
    ['a subject', { sub: { value: 'ada' } }, { sub: 'eve' }, 'CLAIM_VALUE'],
  ])('are enforced: %s %j, %j', async (_how, idToken, claims, code) => {
    flow = await start({ responseType: 'code', claims: { idToken } });
    flow.op.claims = { email: 'e', acr: 'a', amr: ['pwd', 'otp'], level: 2, valueOf: 'there' };
    await expectRefusal(flow, { backIdToken: { claims } }, code);
  });

  it.each<[ClaimsOption['idToken'], Record<string, unknown>]>([
    [{ email: null }, {}],
    [{ email: { essential: false } }, {}],
    [{ email: { value: 'e' } }, {}],
    [{ email: { value: 'e' } }, { email: 'e' }],
    [{ amr: { essential: true, values: [['pwd'], ['pwd', 'otp']] } }, { amr: ['pwd', 'otp'] }],
    [{ email_verified: { essential: true, value: true } }, { email_verified: true }],
  ])('may be voluntary, or what was asked for: %j, %j', async (idToken, claims) => {
    flow = await start({ claims: { idToken } });
    flow.op.claims = claims;
    expect(await flow.signIn()).toMatchObject({ status: 200 });
  });

  it('outlive a refresh whose ID Token lacks them, and end a login where they change', async () => {
    const idToken = { email: { essential: true }, acr: { essential: true, values: ['gold'] } };
    flow = await start({ claims: { idToken } });
    flow.op.claims = { email: 'ada@shop.example', acr: 'gold' };
    await flow.signIn();
    flow.op.claims = {};
    flow.clock.advance(3600);
    const kept = json(await flow.browser.fetch(`${flow.baseUrl}/claims`));
    expect(kept).toMatchObject({ email: 'ada@shop.example', acr: 'gold' });
    flow.op.claims = { acr: 'bronze' };
    flow.clock.advance(3600);
    const ended = await flow.browser.fetch(`${flow.baseUrl}/claims`);
    expect([ended.status, errorCode(ended)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
  });

  it('give way to the acr_values of one login (5.5.1.1)', async () => {
    const idToken = { acr: { essential: true, value: 'gold' }, email: null };
    flow = await start({ claims: { idToken } });
    flow.op.claims = { acr: 'gold' };
    await flow.signIn();
    flow.op.claims = {};
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/vault`);
    expect(json(arrival)).toMatchObject({ acr: 'platinum' });
    const { acr_values, claims } = flow.op.lastRequest('/authorize').parameters;
    expect([acr_values, claims]).toEqual(['platinum', '{"id_token":{"email":null}}']);
  });
});

describe('Core 5.5.1 claims of UserInfo', () => {
  afterEach(() => flow.close());
  const claims: ClaimsOption = { userinfo: { email: { essential: true } } };
  const withoutEmail = { json: ({ email: _, ...body }: Record<string, unknown>) => body };

  it('are enforced at login where it is loaded', async () => {
    flow = await start({ claims, loadUserinfo: true });
    await expectRefusal(flow, { userinfo: withoutEmail }, 'CLAIM_MISSING');
  });

  it('are enforced where the application asks', async () => {
    flow = await start({ claims });
    flow.op.lie({ userinfo: withoutEmail });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const refused = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_CLAIM_MISSING']);
    flow.op.honest();
    expect((await flow.browser.fetch(`${flow.baseUrl}/userinfo`)).status).toBe(200);
  });
});

describe('the option claims', () => {
  it.each<[string, unknown, object?]>([
    ['claims', ['email']],
    ['claims.id_token', { id_token: {} }],
    ['claims.idToken', { idToken: ['email'] }],
    ['claims.userinfo.email', { userinfo: { email: true } }],
    ['claims.userinfo.email.esential', { userinfo: { email: { esential: true } } }],
    ['claims.idToken.email.essential', { idToken: { email: { essential: 'yes' } } }],
    ['claims.idToken.email.values', { idToken: { email: { values: [] } } }],
    ['claims.idToken.email', { idToken: { email: { value: 1, values: [1] } } }],
    ['claims.idToken.acr', { idToken: { acr: { value: 'a' } } }, { acrValues: 'a' }],
  ])('is refused by the name %s', (option, claims, more = {}) => {
    const make = (): unknown =>
      hybridFlow({
        issuer: 'https://op.example',
        clientId: 'client',
        clientSecret: 'secret',
        baseUrl: 'https://app.example',
        secret: 'a sealing secret that no message may show',
        claims: claims as ClaimsOption,
        ...more,
      });
    expect(make).toThrow(expect.objectContaining({ name: 'OptionsError', option }));
  });

  it('cannot be set by another name', async () => {
    flow = await startFlow({ oidc: { authorizationParams: () => ({ claims: '{}' }) } });
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([500, 'ERR_OIDC_OPTION_INVALID']);
    await flow.close();
  });
});
