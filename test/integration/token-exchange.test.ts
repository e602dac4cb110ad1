import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { TokenTarget } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { addExchangeGrant, exchangingClient } from '../support/exchange-grant.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

const downstream = 'https://api.example';

describe('RFC 8693 at a certified OP', () => {
  let flow: CertifiedFlow;
  afterEach(() => flow.close());

  it('gives a token for an API behind, which takes it', async () => {
    flow = await startCertifiedFlow({
      oidc: { resource: undefined },
      op: {
        client: exchangingClient,
        extend: (provider) => addExchangeGrant(provider, [downstream]),
      },
      routes(app, oidc) {
        app.get('/behind', oidc.requireAuth(), async (req, res) => {
          const target = { resource: downstream, exchange: true };
          const answer = await req.oidc.fetch(`${flow.api.url}/orders`, {}, target);
          const { authorization, sub } = (await answer.json()) as Record<string, string>;
          const own = (await req.oidc.accessToken()).value;
          res.json({ sub, token: authorization?.split(' ')[1], own });
        });
        app.get('/elsewhere', oidc.requireAuth(), async (req, res) => {
          res.json(await req.oidc.exchange({ resource: 'https://elsewhere.example' }));
        });
        app.use(oidc.errorHandler());
      },
    });
    const browser = new Browser();
    const { sub, token, own } = json(await browser.navigate(`${flow.baseUrl}/behind`));
    expect(sub).toBe('ada');
    expect(decodeJwt(String(token))).toMatchObject({ aud: downstream, sub: 'ada' });
    expect(own).not.toBe(token);
    expect(flow.api.calls).toEqual({ accepted: 1, refused: 0 });
    const refused = await browser.fetch(`${flow.baseUrl}/elsewhere`);
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_TARGET_REFUSED']);
  });
});

describe('RFC 8693', () => {
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';
  let flow: Flow;
  afterEach(() => flow.close());

  const exchanges = (): number => flow.op.count('/token', grant);

  async function start(
    target: TokenTarget = { resource: downstream, scope: 'b a' },
  ): Promise<void> {
    flow = await startFlow({
      routes(app, oidc) {
        app.get('/behind', oidc.requireAuth({ accessToken: false }), async (req, res) => {
          const behind = await req.oidc.exchange(target);
          res.json({ behind, own: await req.oidc.accessToken() });
        });
        app.use(oidc.errorHandler());
      },
    });
    await flow.signIn();
  }

  const ask = async (): Promise<{
    behind: Record<string, unknown>;
    own: Record<string, unknown>;
  }> => JSON.parse((await flow.browser.fetch(`${flow.baseUrl}/behind`)).text);
  const refusal = async (): Promise<[number, string | undefined]> => {
    const answer = await flow.browser.fetch(`${flow.baseUrl}/behind`);
    return [answer.status, errorCode(answer)];
  };

  it('2.1 asks with the access token of the login, for what the target says', async () => {
    await start();
    const { behind, own } = await ask();
    expect(flow.op.lastRequest('/token').parameters).toEqual({
      grant_type: grant,
      subject_token: own['value'],
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: downstream,
      scope: 'a b',
    });
    expect(behind['value']).not.toBe(own['value']);
    expect(behind).toMatchObject({ tokenType: 'Bearer', scope: ['a', 'b'] });
  });

  it('asks once, for everybody who waits and who comes later', async () => {
    await start();
    const held = flow.op.hold('/token');
    const asked = [ask(), ask()];
    await held.arrived;
    held.release();
    const [one, two] = await Promise.all(asked);
    expect(one).toEqual(two);
    expect(await ask()).toEqual(one);
    expect(exchanges()).toBe(1);
  });

  it('gives a token that ends with the one of the login, and is had anew for the next one', async () => {
    await start();
    const { behind, own } = await ask();
    // The OP says a day.
    expect(behind['expiresAt']).toBe(own['expiresAt']);
    flow.clock.advance(3600);
    const next = await ask();
    expect(next.behind['value']).not.toBe(behind['value']);
    expect(exchanges()).toBe(2);
    expect(flow.op.refreshes).toEqual({ granted: 1, reused: 0 });
    expect(flow.op.lastRequest('/token').parameters['subject_token']).toBe(next.own['value']);
  });

  it('never puts it in the place of the login, nor takes its refresh token', async () => {
    await start({ requestedTokenType: 'jwt' });
    const { behind, own } = await ask();
    const { text } = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect(text).toContain(String(own['value']));
    expect(text).not.toContain(String(behind['value']));
    flow.clock.advance(3600);
    await ask();
    expect(flow.op.refreshes).toEqual({ granted: 1, reused: 0 });
  });

  it.each([
    ['no issued_token_type', { issued_token_type: undefined }, 400, 'ERR_OIDC_ISSUED_TOKEN_TYPE'],
    [
      'another issued_token_type',
      { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      400,
      'ERR_OIDC_ISSUED_TOKEN_TYPE',
    ],
    ['the token_type DPoP', { token_type: 'DPoP' }, 400, 'ERR_OIDC_TOKEN_TYPE'],
    ['the token_type N_A', { token_type: 'N_A' }, 400, 'ERR_OIDC_TOKEN_TYPE'],
    ['no token', { access_token: undefined }, 502, 'ERR_OIDC_PROVIDER_RESPONSE'],
  ])('refuses an answer with %s, and keeps nothing of it', async (_what, change, status, code) => {
    await start();
    flow.op.lie({ exchange: { json: (body) => ({ ...body, ...change }) } });
    expect(await refusal()).toEqual([status, code]);
    expect(await refusal()).toEqual([status, code]);
    expect(exchanges()).toBe(2);
    flow.op.honest();
    expect((await ask()).behind).toHaveProperty('value');
  });

  it.each(['invalid_grant', 'invalid_request', 'unsupported_grant_type'])(
    'leaves the login as it is where the OP answers %s',
    async (error) => {
      await start();
      flow.op.lie({ exchange: { status: 400, json: () => ({ error }) } });
      expect(await refusal()).toEqual([502, 'ERR_OIDC_EXCHANGE_REFUSED']);
      expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
      expect(flow.op.revokedGrants).toBe(0);
    },
  );

  it.each([
    ['exchange', { exchange: 'yes' }],
    ['exchange', { resource: downstream, requestedTokenType: 'jwt', exchange: false }],
    ['requestedTokenType', { exchange: true, requestedTokenType: 'saml2' }],
    ['requestedTokenType', { exchange: true, requestedTokenType: 'constructor' }],
    ['authorizationDetails', { exchange: true, authorizationDetails: [{ type: 'payment' }] }],
  ])('has a wrong %s refused: %j', async (option, target) => {
    flow = await startFlow({
      routes: (app, oidc) =>
        app.get('/behind', oidc.requireAuth(), async (req, res) => {
          const asked = req.oidc.accessToken(target as TokenTarget);
          await asked.catch((error: unknown) => res.json(error));
        }),
    });
    expect(json(await flow.signIn(flow.browser, '/behind'))).toMatchObject({
      code: 'ERR_OIDC_OPTION_INVALID',
      option,
    });
    expect(flow.op.count('/token', grant)).toBe(0);
  });
});
