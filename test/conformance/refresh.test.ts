import { afterEach, describe, expect, it } from '@jest/globals';
import type { AnswerLie } from '../../lib/testing/lies.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Signed in, with an access token that is about to expire. */
async function startStale(seconds = 3545): Promise<void> {
  flow = await startFlow();
  await flow.signIn();
  flow.clock.advance(seconds);
}

const api = (): ReturnType<Flow['browser']['fetch']> => flow.browser.fetch(`${flow.baseUrl}/api/x`);

describe('Core 12 refresh', () => {
  it('happens within the margin before the end, and not earlier', async () => {
    await startStale(3539);
    expect(json(await api())).toEqual(
      expect.objectContaining({ authorization: `Bearer ${flow.op.accessTokens.back[0]}` }),
    );
    expect(flow.op.count('/token', 'refresh_token')).toBe(0);
    flow.clock.advance(1);
    expect(json(await api())).toEqual(
      expect.objectContaining({ authorization: `Bearer ${flow.op.accessTokens.back[1]}` }),
    );
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it('goes on with the rotated refresh token, again and again', async () => {
    await startStale();
    for (let round = 1; round <= 5; round += 1) {
      expect(await api()).toMatchObject({ status: 200 });
      expect(flow.op.count('/token', 'refresh_token')).toBe(round);
      flow.clock.advance(3545);
    }
  });

  it('keeps the refresh token where the OP sends no new one', async () => {
    await startStale();
    flow.op.lie({ refresh: { json: ({ refresh_token, ...body }) => body } });
    await api();
    flow.clock.advance(3545);
    await api();
    const [first, second] = flow.op.requests
      .filter(({ parameters }) => parameters['grant_type'] === 'refresh_token')
      .map(({ parameters }) => parameters['refresh_token']);
    expect(second).toBe(first);
  });

  it('works for an access token that has expired, also for a page', async () => {
    await startStale(4000);
    expect(await flow.browser.navigate(`${flow.baseUrl}/private`)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/private`,
    });
    expect(flow.op.count('/authorize')).toBe(1);
  });

  it('never happens where the OP names no end of the token', async () => {
    flow = await startFlow();
    flow.op.lie({ expiresIn: undefined });
    await flow.signIn();
    flow.clock.advance(1_000_000);
    expect(await api()).toMatchObject({ status: 200 });
    expect(flow.op.count('/token', 'refresh_token')).toBe(0);
  });

  it('happens once in half the life of a token that lives shorter than the margin', async () => {
    flow = await startFlow();
    flow.op.lie({ expiresIn: 10 });
    await flow.signIn();
    flow.clock.advance(4);
    await api();
    expect(flow.op.count('/token', 'refresh_token')).toBe(0);
    flow.clock.advance(1);
    await api();
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });
});

describe('keys that cannot be had during a refresh', () => {
  it.each([
    ['are down', { jwks: { status: 503, body: '' } }],
    ['were fetched just now, for a token with an unknown kid', {}],
  ])('(%s) end no login: the new tokens serve, with the claims of before', async (_why, lies) => {
    await startStale(4000);
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    flow.clock.advance(4000);
    flow.op.lie({ frontIdToken: { header: { kid: 'unknown' } } });
    await new Browser().navigate(`${flow.baseUrl}/login`);
    await flow.op.rotateKeys();
    flow.op.lie(lies);
    const before = flow.op.accessTokens.back.length;
    expect(json(await api())).toMatchObject({
      authorization: `Bearer ${flow.op.accessTokens.back[before]}`,
    });
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
    });
    flow.op.honest();
    flow.clock.advance(4000);
    expect(await api()).toMatchObject({ status: 200 });
  });
});

describe('a session that ends while a request runs', () => {
  it('gives no more tokens once the present one is stale', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/ends', oidc.requireAuth(), (req, res) => {
          req.session.destroy(async () => {
            flow.clock.advance(4000);
            const code = await req.oidc?.accessToken().catch((error) => error.code);
            res.json({ code });
          });
        });
      },
    });
    await flow.signIn();
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/ends`))).toEqual({
      code: 'ERR_OIDC_LOGIN_ENDED',
    });
  });
});

describe('a dead grant', () => {
  it('ends the session: an API call gets 401', async () => {
    await startStale();
    flow.op.revokeAll();
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.storeKeys()).toEqual([]);
    expect(errorCode(await api())).toBe('ERR_OIDC_LOGIN_REQUIRED');
  });

  it('ends the session: a page leads to a new login and back', async () => {
    await startStale();
    flow.op.revokeAll();
    expect(await flow.browser.navigate(`${flow.baseUrl}/private?a=b`)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/private?a=b`,
    });
    expect(flow.op.count('/authorize')).toBe(2);
  });

  it('leaves routes alone that need no access token', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/who', oidc.requireAuth({ accessToken: false }), (req, res) => {
          res.json({ sub: req.oidc?.claims.sub, authorization: req.headers.authorization ?? null });
        });
      },
    });
    await flow.signIn();
    flow.clock.advance(100_000);
    flow.op.revokeAll();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/who`, {
      headers: { Authorization: 'Bearer of-the-caller' },
    });
    expect(json(answer)).toEqual({ sub: 'ada', authorization: null });
  });
});

describe('an access token without a refresh token', () => {
  it('serves until it expires, and then asks for a login', async () => {
    flow = await startFlow();
    flow.op.lie({ token: { json: ({ refresh_token, ...body }) => body } });
    await flow.signIn();
    flow.clock.advance(3599);
    expect(await api()).toMatchObject({ status: 200 });
    flow.clock.advance(1);
    expect(errorCode(await api())).toBe('ERR_OIDC_LOGIN_REQUIRED');
    // No grant has died: the session is there, and so is the login for routes without a token.
    expect(await flow.storeKeys()).toHaveLength(2);
  });
});

describe('an outage is no logout', () => {
  const outages: [string, AnswerLie][] = [
    ['503', { status: 503, body: 'busy' }],
    ['429', { status: 429, body: '{"error":"slow_down"}' }],
    ['500 with an OAuth error', { status: 500, body: '{"error":"invalid_grant"}' }],
    ['invalid_client', { status: 401, body: '{"error":"invalid_client"}' }],
  ];

  it.each(outages)('%s: the present token serves while it is valid', async (_name, refresh) => {
    await startStale();
    flow.op.lie({ refresh });
    expect(json(await api())).toMatchObject({
      authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
    });
    // And the OP is left in peace for a while.
    await api();
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    flow.clock.advance(10);
    await api();
    expect(flow.op.count('/token', 'refresh_token')).toBe(2);
  });

  it('then 503 with Retry-After, for pages and calls, until the OP is back', async () => {
    await startStale(3601);
    flow.op.lie({ refresh: { status: 503, body: 'busy' } });
    for (const answer of [await api(), await flow.browser.navigate(`${flow.baseUrl}/private`)]) {
      expect([answer.status, errorCode(answer)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNAVAILABLE']);
      expect(answer.headers).toMatchObject({ 'retry-after': '5' });
    }
    flow.op.honest();
    expect(await api()).toMatchObject({ status: 200 });
    expect(flow.op.count('/authorize')).toBe(1);
  });

  it('an OP that is down altogether: the same', async () => {
    await startStale(3601);
    await flow.op.stop();
    const refused = await api();
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNREACHABLE']);
    await flow.op.resume();
    expect(await api()).toMatchObject({ status: 200 });
  });
});

describe('one spend for each refresh token', () => {
  it('50 requests at once: one refresh, everybody served, and again after the next expiry', async () => {
    await startStale(4000);
    for (let round = 1; round <= 2; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, api));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map((answer) => json(answer)['authorization'])).size).toBe(1);
      expect(flow.op.count('/token', 'refresh_token')).toBe(round);
      flow.clock.advance(4000);
    }
  });

  it('a request that comes while a slow OP answers waits for the same refresh', async () => {
    await startStale(4000);
    const held = flow.op.hold('/token');
    const first = api();
    await held.arrived;
    const second = api();
    held.release();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it('50 requests at once on a dead grant: one attempt, and 401 for all', async () => {
    await startStale(4000);
    flow.op.revokeAll();
    const answers = await Promise.all(Array.from({ length: 50 }, api));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });
});
