import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('requireAuth({ scope, claims })', () => {
  const start = async (): Promise<void> => {
    flow = await startFlow({
      oidc: { scope: 'openid orders:read' },
      routes: (app, oidc) => {
        app.get('/read', oidc.requireAuth({ scope: 'orders:read' }), (_req, res) => res.json({}));
        app.get('/write', oidc.requireAuth({ scope: 'orders:read orders:write' }));
        const isAdmin = oidc.requireAuth({ claims: ({ role }) => role === 'admin' });
        app.get('/admin', isAdmin, (_req, res) => res.json({}));
      },
    });
    await flow.signIn();
  };

  it('lets through who has what is asked for', async () => {
    await start();
    expect(await flow.browser.fetch(`${flow.baseUrl}/read`)).toMatchObject({ status: 200 });
    flow.op.claims = { role: 'admin' };
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(await flow.browser.fetch(`${flow.baseUrl}/admin`)).toMatchObject({ status: 200 });
  });

  it.each([
    ['/write', 'ERR_OIDC_INSUFFICIENT_SCOPE'],
    ['/admin', 'ERR_OIDC_INSUFFICIENT_CLAIMS'],
  ])(
    '%s answers others with 403, as a problem or a page, and begins no login',
    async (path, code) => {
      await start();
      const logins = flow.op.count('/authorize');
      const problem = await flow.browser.fetch(`${flow.baseUrl}${path}`);
      expect([problem.status, json(problem)['code']]).toEqual([403, code]);
      const page = await flow.browser.navigate(`${flow.baseUrl}${path}`);
      expect([page.status, errorCode(page)]).toEqual([403, code]);
      expect(page.headers['content-type']).toContain('text/html');
      expect(flow.op.count('/authorize')).toBe(logins);
    },
  );
});

describe('requireAuth({ claims })', () => {
  it.each<[what: string, given: unknown, status: number]>([
    ['true', true, 200],
    ['false', false, 403],
    ['undefined, as roles?.includes() of a claim that is missing', undefined, 403],
    ['null', null, 403],
    ['0', 0, 403],
    ['an empty string', '', 403],
    ['a promise, as that of an async function', Promise.resolve(true), 403],
    ['some text', 'yes', 403],
  ])('lets nobody pass but by true: %s', async (_what, given, status) => {
    flow = await startFlow({
      routes: (app, oidc) => {
        const guard = oidc.requireAuth({ claims: () => given as boolean });
        app.get('/guarded', guard, (_req, res) => res.json({}));
      },
    });
    await flow.signIn();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/guarded`);
    expect(answer.status).toBe(status);
    if (status === 403) expect(errorCode(answer)).toBe('ERR_OIDC_INSUFFICIENT_CLAIMS');
  });
});

describe('acr of the login', () => {
  it('holds over a refresh whose ID Token lacks it', async () => {
    flow = await startFlow({
      oidc: { acrValues: 'mfa' },
      routes: (app, oidc) => {
        const claims = ({ acr }: { acr?: unknown }): boolean => acr === 'mfa';
        app.get('/strong', oidc.requireAuth({ claims }), (_req, res) => res.json({}));
      },
    });
    await flow.signIn();
    flow.op.lie({ refreshedIdToken: { claims: { acr: undefined } } });
    flow.clock.advance(4000);
    expect((await flow.browser.fetch(`${flow.baseUrl}/strong`)).status).toBe(200);
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
    flow.op.lie({ refreshedIdToken: { claims: { acr: 'pwd' } } });
    flow.clock.advance(4000);
    expect((await flow.browser.fetch(`${flow.baseUrl}/strong`)).status).toBe(401);
  });
});

describe('a request that changes something', () => {
  const send = async (headers: Record<string, string>): Promise<number> => {
    const Cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
    const answer = await request(flow.baseUrl)
      .post('/api/x')
      .set({ Cookie, ...headers });
    const isRefused = answer.status === 403;
    expect(errorCode(answer)).toBe(isRefused ? 'ERR_OIDC_CROSS_SITE_REQUEST' : undefined);
    return answer.status;
  };
  const start = async (): Promise<void> => {
    flow = await startFlow({ oidc: { trustedOrigins: ['https://spa.example'] } });
    await flow.signIn();
  };

  it.each([
    ['no browser sends', {}, 200],
    ['a page of ours sends', { 'Sec-Fetch-Site': 'same-origin' }, 200],
    [
      'a page of a trusted origin sends',
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://spa.example' },
      200,
    ],
    ['another site sends', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, 403],
    [
      'a sibling domain sends',
      { 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.app.example' },
      403,
    ],
    ['another site sends from an old browser', { Origin: 'https://evil.example' }, 403],
    ['a sandboxed page sends', { Origin: 'null' }, 403],
  ])('that %s, with %j, is answered %i', async (_who, headers, status) => {
    await start();
    expect(await send(headers as Record<string, string>)).toBe(status);
  });

  it('from an old browser, of our own origin, passes', async () => {
    await start();
    expect(await send({ Origin: new URL(flow.baseUrl).origin })).toBe(200);
  });

  it('is not meant by GET', async () => {
    await start();
    const hop = {
      method: 'GET',
      url: `${flow.baseUrl}/private`,
      from: 'https://evil.example',
    } as const;
    expect(await flow.browser.perform(hop)).toMatchObject({ status: 200 });
  });
});

describe('RFC 6750 3.1 req.oidc.fetch, when the API refuses the token', () => {
  let api: Listening;
  afterEach(() => api.close());
  const calls: string[] = [];

  async function start(challenge: string): Promise<void> {
    calls.length = 0;
    api = await listen(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += chunk;
      calls.push(`${req.headers.authorization} ${body}`);
      const isFirst = req.headers.authorization === `Bearer ${flow.op.accessTokens.back[0]}`;
      if (isFirst) res.setHeader('WWW-Authenticate', challenge);
      res.statusCode = isFirst ? 401 : 200;
      res.end(JSON.stringify({ isFirst }));
    });
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/call', oidc.requireAuth(), async (req, res) => {
          const url = `http://127.0.0.1:${api.port}/`;
          const isStream = req.query['body'] === 'stream';
          async function* generate(): AsyncGenerator<Uint8Array> {
            yield new TextEncoder().encode('text');
          }
          const body = isStream ? generate() : 'text';
          const init: object = { method: 'POST', body, ...(isStream ? { duplex: 'half' } : {}) };
          const answer = await req.oidc?.fetch(url, init);
          res.json({ status: answer?.status });
        });
      },
    });
    await flow.signIn();
  }

  it('renews it once and sends the request again, body included', async () => {
    await start('Bearer realm="api", error="invalid_token"');
    const answers = await Promise.all(
      [1, 2, 3].map(() => flow.browser.fetch(`${flow.baseUrl}/call`)),
    );
    expect(answers.map((answer) => json(answer)['status'])).toEqual([200, 200, 200]);
    const [first, second] = flow.op.accessTokens.back;
    expect(new Set(calls)).toEqual(new Set([`Bearer ${first} text`, `Bearer ${second} text`]));
    expect(flow.op.count('/token', 'refresh_token')).toBe(1);
  });

  it.each([
    ['for another reason', 'Bearer error="insufficient_scope"', ''],
    ['and the body is a stream, which is gone', 'Bearer error="invalid_token"', '?body=stream'],
  ])('%s hands its answer on', async (_why, challenge, query) => {
    await start(challenge);
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/call${query}`))).toEqual({ status: 401 });
    expect(calls).toHaveLength(1);
    expect(flow.op.count('/token', 'refresh_token')).toBe(0);
  });
});
