import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions, VerifiedLogin } from 'passport-oidc-hybrid';
import type { Lies } from '../../lib/testing/lies.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { expectRefusal } from '../support/refusals.ts';

let flow: Flow;
afterEach(() => flow.close());

const start = (oidc: Partial<CommonOptions> = {}): Promise<Flow> =>
  startFlow({
    oidc,
    routes: (app, { requireAuth, errorHandler }) => {
      app.get('/userinfo', requireAuth(), async (req, res) => {
        res.json(await req.oidc?.userinfo());
      });
      app.get('/loaded', requireAuth(), (req, res) => {
        res.json({ loaded: req.oidc?.loadedUserinfo, claims: req.oidc?.claims });
      });
      app.use(errorHandler());
    },
  });

/** The answer to an API call of who has signed in at an honest OP, which then lies. */
async function askWith(lies: Lies, oidc: Partial<CommonOptions> = {}): Promise<[number, unknown]> {
  flow = await start(oidc);
  if (lies.signedUserinfo) flow.op.lie({ signedUserinfo: {} });
  await flow.signIn();
  expect((await flow.browser.fetch(`${flow.baseUrl}/userinfo`)).status).toBe(200);
  flow.op.lie(lies);
  const answer = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
  return [answer.status, errorCode(answer)];
}

describe('Core 5.3 req.oidc.userinfo()', () => {
  it('asks anew each time, with the code-exchanged access token in the header', async () => {
    flow = await start();
    await flow.signIn();
    const before = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect(json(before)).toEqual({ sub: 'ada', name: 'Ada Marwick', email: 'ada@shop.example' });
    const { method, headers, parameters } = flow.op.lastRequest('/userinfo');
    expect([method, headers.authorization, parameters]).toEqual([
      'GET',
      `Bearer ${flow.op.accessTokens.back[0]}`,
      {},
    ]);
    flow.op.userinfo = { name: 'Ada Lovelace' };
    const after = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect(json(after)).toEqual({ sub: 'ada', name: 'Ada Lovelace' });
  });

  it('renews an access token that has expired first', async () => {
    flow = await start();
    await flow.signIn();
    flow.clock.advance(3600);
    expect((await flow.browser.fetch(`${flow.baseUrl}/userinfo`)).status).toBe(200);
    expect(flow.op.lastRequest('/userinfo').headers.authorization).toBe(
      `Bearer ${flow.op.accessTokens.back[1]}`,
    );
  });

  it('takes a signed answer by its media type', async () => {
    flow = await start();
    flow.op.lie({ signedUserinfo: {} });
    await flow.signIn();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect(json(answer)).toMatchObject({ sub: 'ada', name: 'Ada Marwick', iss: flow.op.issuer });
  });

  it.each<[string, Lies, string]>([
    ['of another user', { userinfo: { json: (c) => ({ ...c, sub: 'eve' }) } }, 'USERINFO_SUB'],
    ['of nobody', { userinfo: { json: ({ sub: _sub, ...c }) => c } }, 'USERINFO_SUB'],
    ['that is a list', { userinfo: { json: () => [] } }, 'USERINFO_MALFORMED'],
    ['that is no JSON', { userinfo: { body: 'sub=ada' } }, 'USERINFO_MALFORMED'],
    [
      'that is HTML',
      { userinfo: { headers: { 'content-type': 'text/html' } } },
      'USERINFO_MALFORMED',
    ],
  ])('refuses a plain answer %s', async (_what, lies, code) => {
    expect(await askWith(lies)).toEqual([400, `ERR_OIDC_${code}`]);
  });

  it.each<[string, Lies['signedUserinfo'], string]>([
    ['of another user', { claims: { sub: 'eve' } }, 'USERINFO_SUB'],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, 'USERINFO_ISS'],
    ['of no issuer', { claims: { iss: undefined } }, 'USERINFO_ISS'],
    ['for another client', { claims: { aud: 'other' } }, 'USERINFO_AUD'],
    ['for nobody', { claims: { aud: undefined } }, 'USERINFO_AUD'],
    ['that has expired', { claims: { exp: 1 } }, 'USERINFO_EXP'],
    ['whose end is no time', { claims: { exp: 'never' } }, 'USERINFO_EXP'],
    ['that is not signed', { signedWith: 'none' }, 'USERINFO_ALG'],
    ['that is signed with the client secret', { signedWith: 'client_secret' }, 'USERINFO_ALG'],
    ['that is signed by somebody else', { signedWith: 'foreign_key' }, 'USERINFO_SIGNATURE'],
    ['by an unknown key', { header: { kid: 'unknown' } }, 'USERINFO_KEY'],
    ['that is no JWT', { raw: 'abc' }, 'USERINFO_MALFORMED'],
  ])('refuses a signed answer %s', async (_what, signedUserinfo, code) => {
    expect(await askWith({ signedUserinfo: signedUserinfo ?? {} })).toEqual([
      400,
      `ERR_OIDC_${code}`,
    ]);
  });

  it('refuses a plain answer, and one by another algorithm, where one is registered', async () => {
    const oidc = { userinfoSignedResponseAlg: 'ES256' } as const;
    expect(await askWith({ signedUserinfo: { header: { kid: 'unknown' } } }, oidc)).toEqual([
      400,
      'ERR_OIDC_USERINFO_KEY',
    ]);
    flow.op.honest();
    const plain = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect([plain.status, errorCode(plain)]).toEqual([400, 'ERR_OIDC_USERINFO_UNSIGNED']);
    await flow.op.rotateKeys('ES384');
    flow.op.lie({ signedUserinfo: {} });
    const other = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
    expect([other.status, errorCode(other)]).toEqual([400, 'ERR_OIDC_USERINFO_ALG']);
  });

  it.each<[string, Lies['userinfo'], number, string]>([
    ['an outage', { status: 503 }, 503, 'PROVIDER_UNAVAILABLE'],
    ['a refusal', { status: 403 }, 502, 'USERINFO_REFUSED'],
    [
      'a token that is not accepted',
      { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
      502,
      'USERINFO_REFUSED',
    ],
    ['a redirect', { status: 302, headers: { location: '/' } }, 502, 'PROVIDER_RESPONSE'],
  ])('tells of %s', async (_what, userinfo, status, code) => {
    expect(await askWith({ userinfo: userinfo ?? {} })).toEqual([status, `ERR_OIDC_${code}`]);
  });

  it.each([undefined, 'ftp://op.example/userinfo', 7])(
    'tells of an OP whose userinfo_endpoint is %s',
    async (userinfo_endpoint) => {
      flow = await start();
      flow.op.lie({ discovery: { json: (body) => ({ ...body, userinfo_endpoint }) } });
      await flow.signIn();
      const answer = await flow.browser.fetch(`${flow.baseUrl}/userinfo`);
      expect([answer.status, errorCode(answer)]).toEqual([502, 'ERR_OIDC_METADATA']);
    },
  );
});

describe('Core 5.3 loadUserinfo', () => {
  it('keeps the claims that it names beside those of the ID Token', async () => {
    flow = await start({ loadUserinfo: ['email', 'phone_number'] });
    await flow.signIn();
    flow.op.userinfo = {};
    const { loaded, claims } = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ email: 'ada@shop.example' });
    expect(claims).not.toHaveProperty('email');
    expect(flow.op.count('/userinfo')).toBe(1);
  });

  it('keeps them over a refresh', async () => {
    flow = await start({ loadUserinfo: ['email'] });
    await flow.signIn();
    flow.clock.advance(3600);
    const { loaded } = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({ email: 'ada@shop.example' });
    expect(flow.op.refreshes.granted).toBe(1);
  });

  it('gives verify all of them, and keeps none by true', async () => {
    const seen: VerifiedLogin['userinfo'][] = [];
    flow = await start({
      loadUserinfo: true,
      verify: ({ userinfo, claims }) => seen.push(userinfo) && claims.sub,
    });
    await flow.signIn();
    expect(seen).toEqual([{ sub: 'ada', name: 'Ada Marwick', email: 'ada@shop.example' }]);
    const { loaded } = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({});
  });

  it('asks nothing without the option', async () => {
    flow = await start();
    await flow.signIn();
    expect(flow.op.count('/userinfo')).toBe(0);
    const { loaded } = json(await flow.browser.fetch(`${flow.baseUrl}/loaded`));
    expect(loaded).toEqual({});
  });

  it.each<[string, Lies, string, number]>([
    ['another user', { userinfo: { json: (c) => ({ ...c, sub: 'eve' }) } }, 'USERINFO_SUB', 400],
    ['an outage', { userinfo: { status: 503 } }, 'PROVIDER_UNAVAILABLE', 503],
    ['a refusal', { userinfo: { status: 403 } }, 'USERINFO_REFUSED', 502],
  ])('refuses a login for %s', async (_what, lies, code, status) => {
    flow = await start({ loadUserinfo: ['email'] });
    await expectRefusal(flow, lies, code, status);
  });

  it('asks with the token of the code exchange, never with that of the front channel', async () => {
    flow = await start({ loadUserinfo: true, responseType: 'code id_token token' });
    await flow.signIn(new Browser());
    expect(flow.op.lastRequest('/userinfo').headers.authorization).toBe(
      `Bearer ${flow.op.accessTokens.back[0]}`,
    );
  });
});
