import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';

let flow: Flow;
afterEach(() => flow.close());

const logout = (from?: string): ReturnType<Flow['browser']['navigate']> =>
  flow.browser.navigate({
    method: 'GET',
    url: `${flow.baseUrl}/logout`,
    from: from ?? flow.baseUrl,
  });

const isSignedIn = async (): Promise<boolean> =>
  json(await flow.browser.navigate(flow.baseUrl))['claims'] !== null;

describe('RP-Initiated Logout 2', () => {
  it('ends the login here, then at the OP, and comes back', async () => {
    flow = await startFlow();
    await flow.signIn();
    const arrival = await logout();
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(flow.op.lastRequest('/end_session').parameters).toEqual({
      id_token_hint: expect.stringMatching(/^eyJ/),
      client_id: 'client',
      post_logout_redirect_uri: `${flow.baseUrl}/logout/callback`,
      state: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(await flow.storeKeys()).toEqual([]);
    expect(await isSignedIn()).toBe(false);
    expect(await flow.browser.cookieNames(flow.baseUrl)).toEqual(['connect.sid']);
  });

  it.each([
    ['as configured', { logout_hint: 'ada', ui_locales: 'de' }],
    ['by the claims', ({ sub }: { sub: string }) => ({ logout_hint: sub, ui_locales: 'de' })],
  ])('sends further parameters %s, and none in the place of its own', async (_how, params) => {
    const own = { client_id: 'other', state: 'other', id_token_hint: 'other' };
    const endSessionParams =
      typeof params === 'function'
        ? (claims: { sub: string }) => ({ ...params(claims), ...own })
        : { ...params, ...own };
    flow = await startFlow({ oidc: { endSessionParams } });
    await flow.signIn();
    await logout();
    const { parameters } = flow.op.lastRequest('/end_session');
    expect(parameters).toMatchObject({ logout_hint: 'ada', ui_locales: 'de', client_id: 'client' });
    expect(Object.values(parameters)).not.toContain('other');
  });

  it('gives the newest ID Token as a hint', async () => {
    flow = await startFlow();
    await flow.signIn();
    flow.clock.advance(4000);
    await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    await logout();
    const idTokens = flow.op.handedOut.filter((secret) => secret.startsWith('eyJ'));
    expect(flow.op.lastRequest('/end_session').parameters['id_token_hint']).toBe(idTokens.at(-1));
  });

  it('comes back to the path asked for, if it is one of ours', async () => {
    flow = await startFlow();
    for (const [wanted, path] of [
      ['/cart/tea', '/cart/tea'],
      ['//evil.example', '/'],
    ]) {
      const url = `${flow.baseUrl}/logout?return_to=${wanted}`;
      const arrival = await flow.browser.navigate({ method: 'GET', url, from: flow.baseUrl });
      expect(arrival.url).toBe(`${flow.baseUrl}${path}`);
    }
  });

  it('by POST goes on by a page, as a default helmet forbids redirects after a form', async () => {
    flow = await startFlow();
    await flow.signIn();
    const arrival = await flow.browser.navigate({
      method: 'POST',
      url: `${flow.baseUrl}/logout`,
      from: flow.baseUrl,
    });
    expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(arrival.history[0]).toMatchObject({ status: 200 });
    expect(await isSignedIn()).toBe(false);
  });

  it('is local where the OP has no such endpoint, or is down', async () => {
    flow = await startFlow();
    flow.op.lie({ discovery: { json: ({ end_session_endpoint, ...body }) => body } });
    await flow.signIn();
    expect(await logout()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(flow.op.count('/end_session')).toBe(0);
    expect(await isSignedIn()).toBe(false);
  });

  it('then in again works', async () => {
    flow = await startFlow();
    for (let round = 0; round < 3; round += 1) {
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await logout();
      expect(await isSignedIn()).toBe(false);
    }
  });
});

describe('RFC 7009 the refresh token', () => {
  it('is revoked at the OP, and the logout does not wait for it', async () => {
    flow = await startFlow();
    await flow.signIn();
    const held = flow.op.hold('/revoke');
    expect(await logout()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    await held.arrived;
    expect(flow.op.lastRequest('/revoke').parameters).toMatchObject({
      token: flow.op.handedOut.find((token) => flow.op.isRefreshToken(token)),
      token_type_hint: 'refresh_token',
    });
    held.release();
  });

  it.each([
    ['fails', { revocation: { status: 500, body: '' } }],
    [
      'is not offered',
      {
        discovery: {
          json: ({ revocation_endpoint, ...body }: Record<string, unknown>) => body,
        },
      },
    ],
  ])('that %s to be revoked leaves the logout as it is', async (_how, lies) => {
    flow = await startFlow();
    flow.op.lie(lies);
    await flow.signIn();
    expect(await logout()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
    expect(await isSignedIn()).toBe(false);
  });
});

describe('RP-Initiated Logout 3 the return', () => {
  it('that this browser did not begin, or has come back from, signs nobody in or out', async () => {
    flow = await startFlow();
    await flow.signIn();
    const url = `${flow.baseUrl}/logout/callback?state=a`;
    expect(await flow.browser.navigate(url)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/`,
    });
    expect(await isSignedIn()).toBe(true);
    const left = await logout();
    const again = left.history.find((visit) => visit.url.includes('/logout/callback'))?.url ?? '';
    expect(await flow.browser.navigate(again)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/`,
    });
    expect(await isSignedIn()).toBe(false);
  });
});

describe('an end-session endpoint that is none', () => {
  it.each(['javascript:alert(1)', 'not a URL', 42])(
    '%s makes the logout a local one',
    async (endpoint) => {
      flow = await startFlow();
      flow.op.lie({ discovery: { json: (body) => ({ ...body, end_session_endpoint: endpoint }) } });
      await flow.signIn();
      expect(await logout()).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(await isSignedIn()).toBe(false);
    },
  );
});

describe('logout wins', () => {
  it('over a refresh under way: it waits for it, and nothing comes back', async () => {
    flow = await startFlow();
    await flow.signIn();
    flow.clock.advance(4000);
    const held = flow.op.hold('/token');
    const refreshing = flow.browser.fetch(`${flow.baseUrl}/api/x`);
    await held.arrived;
    const leaving = logout();
    held.release();
    await Promise.all([refreshing, leaving]);
    expect(await flow.storeKeys()).toEqual([]);
    expect(await isSignedIn()).toBe(false);
  });

  it('over a request that saves its session late', async () => {
    const gate = createGate();
    flow = await startFlow({
      routes: (app) => {
        app.get('/slow', async (req, res) => {
          await gate.wait();
          req.session.basket = ['saved late'];
          res.json({});
        });
      },
    });
    await flow.signIn();
    const slow = flow.browser.fetch(`${flow.baseUrl}/slow`);
    await gate.reached;
    await logout();
    gate.open();
    await slow;
    expect(await isSignedIn()).toBe(false);
    const refused = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
  });

  it('also when the application destroys the session itself', async () => {
    flow = await startFlow({
      routes: (app) => {
        app.get('/destroy', (req, res) => {
          req.session.destroy(() => res.json({}));
        });
      },
    });
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/destroy`);
    expect(await flow.storeKeys()).toEqual([]);
  });
});
