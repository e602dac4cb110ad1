import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

const prompts = (): unknown[] =>
  flow.op.requests
    .filter(({ path }) => path === '/authorize')
    .map(({ parameters }) => parameters['prompt']);

const errors = [
  ['login_required', 'login'],
  ['interaction_required', 'login'],
  ['consent_required', 'consent'],
  ['account_selection_required', 'select_account'],
] as const;

const withEachCookie = errors.flatMap((row) =>
  (['lax', 'strict'] as const).map((sameSite) => [...row, sameSite] as const),
);

describe('Core 3.1.2.6 an OP that has to ask the user', () => {
  it.each(withEachCookie)(
    'and says %s is told that it may, by %s; the login ends where it began, with the cart, session cookie %s',
    async (error, prompt, sameSite) => {
      flow = await startFlow({ session: { cookie: { sameSite } } });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      flow.op.lie({ mustAsk: { error, prompts: [prompt] } });
      const codes = await publishedErrors('refusal', async () => {
        const arrival = await flow.signIn(flow.browser, '/private?page=2');
        expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
        expect(json(arrival)).toMatchObject({ sub: 'ada', cart: ['tea'] });
      });
      expect(codes).toEqual(['ERR_OIDC_OP_ERROR']);
      expect(prompts()).toEqual([undefined, prompt]);
    },
  );

  it.each(errors)('and says %s again is believed', async (error, prompt) => {
    flow = await startFlow();
    flow.op.lie({ mustAsk: { error, prompts: [] } });
    const arrival = await flow.signIn();
    expect([arrival.status, errorCode(arrival)]).toEqual([403, 'ERR_OIDC_OP_ERROR']);
    expect(arrival.text).toContain('href="/login?return_to=%2Fprivate"');
    expect(prompts()).toEqual([undefined, prompt]);
  });

  it('is told so in the place of a "none" that the application has set', async () => {
    flow = await startFlow({ oidc: { authorizationParams: { prompt: 'none' } } });
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(prompts()).toEqual(['none', 'login']);
  });

  it('is held to what the first login asked for', async () => {
    flow = await startFlow({ oidc: { maxAge: 300, acrValues: 'gold' } });
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      max_age: '300',
      acr_values: 'gold',
    });
    const weak = await startFlow({ op: flow.op, oidc: { acrValues: 'gold' } });
    flow.op.lie({ backIdToken: { claims: { acr: 'tin' } } });
    expect(errorCode(await weak.signIn())).toBe('ERR_OIDC_ACR');
    await weak.close();
  });

  it('is held to what a route asked for, beyond what the options say', async () => {
    const login = { maxAge: 300, acrValues: 'gold', organization: 'org_a' };
    flow = await startFlow({
      oidc: { maxAge: 600, acrValues: 'tin', organization: 'org_b' },
      routes: (app, oidc) => {
        app.get('/bank', oidc.requireAuth({ login }), (_req, res) => {
          res.send('the bank');
        });
      },
    });
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    expect((await flow.signIn(flow.browser, '/bank')).text).toBe('the bank');
    expect(prompts()).toEqual([undefined, 'login']);
    expect(flow.op.lastRequest('/authorize').parameters).toMatchObject({
      max_age: '300',
      acr_values: 'gold',
      organization: 'org_a',
    });
  });

  it('does not have the age of a login limited where nobody asked for that', async () => {
    flow = await startFlow();
    flow.op.lie({ mustAsk: { error: 'login_required', prompts: ['login'] } });
    await flow.signIn();
    expect(flow.op.lastRequest('/authorize').parameters).not.toHaveProperty('max_age');
  });

  it.each(['access_denied', 'invalid_request', 'server_error'])(
    'is not asked again after %s',
    async (error) => {
      flow = await startFlow();
      flow.op.lie({ mustAsk: { error, prompts: ['login'] } });
      expect((await flow.signIn()).status).toBeGreaterThanOrEqual(400);
      expect(prompts()).toEqual([undefined]);
    },
  );
});
