import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestHandler } from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { StepUpError } from 'passport-oidc-hybrid';
import request from 'supertest';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';

let flow: Flow;
let api: Listening;
afterEach(async () => {
  await flow.close();
  await api.close();
});

const echo: RequestHandler = (req, res) => {
  const { headers, rawHeaders, headersDistinct } = req;
  res.json({ headers, rawHeaders, headersDistinct });
};

/** `/proxied` is proxied to an API that says what it got; `/seen` says what the handler sees. */
async function start(): Promise<void> {
  api = await listen((req, res) => {
    let body = '';
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => res.end(JSON.stringify({ headers: req.headers, body })));
  });
  flow = await startFlow({
    routes: (app, oidc) => {
      const target = `http://127.0.0.1:${api.port}`;
      app.use('/proxied', oidc.requireAuth({ proxied: true }), createProxyMiddleware({ target }));
      app.use('/tenant', (req, _res, next) => {
        req.headers['x-tenant'] = 'of the application';
        next();
      });
      app.all('/tenant', oidc.requireAuth({ proxied: true }), echo);
      app.get('/weak', oidc.requireAuth({ proxied: true }), (_req, _res, next) => {
        next(new StepUpError({ acrValues: ['mfa'], maxAge: undefined }));
      });
      app.all('/seen', oidc.requireAuth({ proxied: true }), echo);
      app.all('/not-proxied', oidc.requireAuth(), echo);
      const reads: RequestHandler = (req, _res, next) => {
        expect(req.headersDistinct).toHaveProperty('authorization');
        next();
      };
      app.all('/twice', oidc.requireAuth(), reads, oidc.requireAuth({ accessToken: false }), echo);
      app.use(oidc.errorHandler());
    },
  });
  await flow.signIn();
}

const send = async (path: string, headers: Record<string, string>, body?: string) => {
  const Cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
  const call = request(flow.baseUrl)[body === undefined ? 'get' : 'post'](path);
  const answer = await call.set({ Cookie, ...headers }).send(body);
  expect(answer.status).toBe(200);
  return answer;
};

describe('requireAuth({ proxied })', () => {
  it('sends the API the bearer token, and no cookie', async () => {
    await start();
    const { headers } = json(await send('/proxied', { 'X-Of-The-Caller': 'stays' })) as {
      headers: Record<string, string>;
    };
    expect(headers).toMatchObject({
      authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
      'x-of-the-caller': 'stays',
    });
    expect(headers).not.toHaveProperty('cookie');
  });

  it('hands a body on, whole', async () => {
    await start();
    const headers = { 'Content-Type': 'text/plain', Origin: flow.baseUrl };
    expect(json(await send('/proxied', headers, 'a body'))['body']).toBe('a body');
  });

  it('removes hop-by-hop headers, and those that Connection names, wherever they stand', async () => {
    await start();
    const answer = await send('/seen', {
      Connection: 'close, X-Listed',
      'X-Listed': 'secret-1',
      'Keep-Alive': 'secret-2',
      'Proxy-Authorization': 'secret-3',
      TE: 'secret-4',
      Upgrade: 'secret-5',
    });
    expect(answer.text).not.toMatch(/secret-\d|connection|cookie/i);
  });

  it('leaves the token in place, though Connection names it', async () => {
    await start();
    const answer = await send('/seen', { Connection: 'close, Authorization, Host' });
    const authorization = `Bearer ${flow.op.accessTokens.back[0]}`;
    expect(json(answer)).toMatchObject({
      headers: { authorization, host: expect.any(String) },
      rawHeaders: expect.arrayContaining([authorization]),
      headersDistinct: { authorization: [authorization] },
    });
  });

  it('takes the token away again for a route that needs none, wherever it was read before', async () => {
    await start();
    const answer = await send('/twice', { Authorization: 'Bearer of the caller' });
    expect(json(answer)['headersDistinct']).toHaveProperty('host');
    expect(answer.text).not.toMatch(/authorization|bearer/i);
  });

  it.each(['DELETE', 'OPTIONS', 'GET'])(
    'refuses a %s with a body of unknown length',
    async (method) => {
      await start();
      const { port } = new URL(flow.baseUrl);
      const lines = [
        `${method} /proxied/x HTTP/1.1`,
        'Host: localhost',
        `Cookie: ${await flow.browser.jar.getCookieString(flow.baseUrl)}`,
        'Sec-Fetch-Site: same-origin',
        'Transfer-Encoding: chunked',
        'Connection: close',
        '',
        '3',
        'abc',
        '0',
        '',
        '',
      ];
      const socket = connect(Number(port), 'localhost');
      socket.write(lines.join('\r\n'));
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toMatch(/^HTTP\/1.1 411 /);
      expect(errorCode({ text: answer })).toBe('ERR_OIDC_PROXIED_BODY');
    },
  );

  it('leaves a header that the application has set, though Connection names it', async () => {
    await start();
    const answer = await send('/tenant', { Connection: 'close, X-Tenant' });
    expect(json(answer)).toMatchObject({ headers: { 'x-tenant': 'of the application' } });
  });

  it('finds the logins under way again when a handler asks for another one', async () => {
    await start();
    for (let round = 0; round < 6; round += 1) {
      const Cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
      const answer = await request(flow.baseUrl).get('/weak').set({ Cookie, Accept: 'text/html' });
      expect(answer.status).toBe(303);
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        await flow.browser.jar.setCookie(line, flow.baseUrl);
      }
      flow.clock.advance(1);
    }
    const names = await flow.browser.cookieNames(flow.baseUrl);
    expect(names.filter((name) => name.includes('.tx.'))).toHaveLength(4);
  });

  it('is a choice: other routes keep their cookies', async () => {
    await start();
    expect(json(await send('/not-proxied', {}))).toMatchObject({
      headers: { cookie: expect.stringContaining('connect.sid') },
    });
  });
});
