import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { OptionsError } from 'passport-oidc-hybrid';
import { errorCode, json } from '../support/flow.ts';
import { type ProxyFlow, readText, startProxyFlow } from '../support/proxy-flow.ts';

let proxied: ProxyFlow;
afterEach(() => proxied.close());

const start = async (...args: Parameters<typeof startProxyFlow>): Promise<ProxyFlow> => {
  proxied = await startProxyFlow(...args);
  return proxied;
};

const ok: Parameters<typeof startProxyFlow>[0] = (_req, res) => void res.end('{}');
const seenHeaders = () => proxied.seen[0]?.headers ?? {};

describe('oidc.proxy()', () => {
  it('sends path and query below the target, with the bearer token and without any cookie', async () => {
    const { flow, send, seen } = await start(ok);
    expect(
      await send('/proxied/orders/a%20b?q=1&q=%2F', { headers: { 'X-Mine': 'a' } }),
    ).toMatchObject({
      status: 200,
      text: '{}',
    });
    expect(seen[0]?.url).toBe('/v1/orders/a%20b?q=1&q=%2F');
    expect(seenHeaders()).toMatchObject({
      authorization: `Bearer ${flow.op.accessTokens.back[0]}`,
      host: `127.0.0.1:${proxied.api.port}`,
      'x-mine': 'a',
      via: '1.1 oidc-proxy',
    });
    expect(seenHeaders()).not.toHaveProperty('cookie');
  });

  it.each([
    ['/proxied', '/v1/'],
    ['/proxied?a', '/v1/?a'],
    ['/proxied/', '/v1/'],
    ['/proxied//two', '/v1//two'],
    ['/proxied/file.name/..name/a..b/%2e%2e%2ename', '/v1/file.name/..name/a..b/%2e%2e%2ename'],
    ['/proxied/a%2Fb/%C3%A4/100%25', '/v1/a%2Fb/%C3%A4/100%25'],
    ['/proxied/x?back=../..&u=http://a/\\', '/v1/x?back=../..&u=http://a/\\'],
  ])('sends %s as %s, to the letter', async (path, expected) => {
    const { send, seen } = await start(ok);
    expect((await send(path)).status).toBe(200);
    expect(seen[0]?.url).toBe(expected);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('sends the body of a %s', async (method) => {
    const { send } = await start(async (req, res) => {
      res.end(JSON.stringify([req.method, req.headers['content-length'], await readText(req)]));
    });
    const answer = await send('/proxied/x', {
      method,
      body: 'text',
      headers: { 'Content-Length': '4' },
    });
    expect(json(answer)).toEqual([method, '4', 'text']);
  });

  it('sends no body where there is none, and says so to methods that expect one', async () => {
    const { send, seen } = await start(ok);
    await send('/proxied/x', { method: 'POST', headers: { 'Content-Length': '0' } });
    await send('/proxied/x', { method: 'DELETE' });
    expect(seen.map(({ headers }) => headers['transfer-encoding'])).toEqual([undefined, undefined]);
    expect(seen[0]?.headers['content-length']).toBe('0');
  });

  it.each([
    [200, 'a text'],
    [201, ''],
    [206, 'part'],
    [302, ''],
    [400, 'no'],
    [403, 'no'],
    [500, 'broken'],
  ])('passes on status %i, headers and text', async (status, text) => {
    const { send } = await start((_req, res) => {
      res.writeHead(status, { 'X-Of-Api': ['a', 'b'], ETag: '"1"', Location: '/elsewhere' });
      res.end(text);
    });
    const answer = await send('/proxied/x');
    expect(answer).toMatchObject({ status, text });
    expect(answer.headers).toMatchObject({
      'x-of-api': 'a, b',
      etag: '"1"',
      location: '/elsewhere',
    });
  });

  it.each([204, 304])('passes on status %i, which has no body', async (status) => {
    const { send } = await start((_req, res) => void res.writeHead(status).end());
    expect(await send('/proxied/x')).toMatchObject({ status, text: '' });
    expect(await send('/proxied/x')).toMatchObject({ status, text: '' });
  });

  it('passes on the headers of a HEAD', async () => {
    const { send, seen } = await start(
      (_req, res) => void res.writeHead(200, { 'Content-Length': 7 }).end(),
    );
    expect(await send('/proxied/x', { method: 'HEAD' })).toMatchObject({
      status: 200,
      headers: { 'content-length': '7' },
      text: '',
    });
    expect(seen[0]?.method).toBe('HEAD');
  });

  it('waits for the answer behind interim ones, and drops trailers', async () => {
    const { send } = await start((_req, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.writeProcessing();
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('text');
      res.addTrailers({ 'X-Sum': '1' });
      res.end();
    });
    const answer = await send('/proxied/x');
    expect(answer).toMatchObject({ status: 200, text: 'text' });
    expect(answer.headers).not.toHaveProperty('trailer');
  });

  it.each([
    ['Content-Disposition', { 'Content-Length': '0' }],
    ['Content-Disposition', {}],
    ['X-Title', {}],
  ])('passes on a header that is no ASCII as it is: %s beside %o', async (name, others) => {
    const value = Buffer.from('attachment; filename="\u00e4\u6f22"').toString('latin1');
    const { send } = await start((_req, res) => {
      res.writeHead(200, { [name]: value, ...others });
      res.end();
    });
    expect((await send('/proxied/x')).headers[name.toLowerCase()]).toBe(value);
  });

  it('sets req.oidc, for whoever logs the request', async () => {
    const subjects: unknown[] = [];
    const { send } = await start(
      ok,
      {},
      {
        before: (app) =>
          void app.use('/proxied', (req, res, next) => {
            res.on('finish', () => subjects.push(req.oidc?.claims.sub));
            next();
          }),
      },
    );
    await send('/proxied/x');
    expect(subjects).toEqual([expect.any(String)]);
  });

  it('works as a route of its own, where nothing is taken off the path', async () => {
    const { send, seen } = await start(
      ok,
      {},
      { mount: (app, oidc, target) => void app.get('/v1/rows', oidc.proxy({ target })) },
    );
    expect((await send('/v1/rows?a=1')).status).toBe(200);
    expect(seen[0]?.url).toBe('/v1/rows?a=1');
  });
});

describe('who may pass oidc.proxy()', () => {
  it('is whoever is signed in: 401 for a program, a login for a page', async () => {
    const { flow, seen } = await start(ok);
    const { Browser } = await import('../support/browser.ts');
    const stranger = new Browser();
    const answer = await stranger.fetch(`${flow.baseUrl}/proxied/x`);
    expect([answer.status, errorCode(answer)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
    expect(seen).toHaveLength(0);
    expect((await stranger.navigate(`${flow.baseUrl}/proxied/x?a=1`)).url).toBe(
      `${flow.baseUrl}/proxied/x?a=1`,
    );
    expect(seen).toHaveLength(1);
  });

  it('is asked for scope and claims', async () => {
    const { send, seen } = await start(ok, { scope: 'orders:write' });
    const answer = await send('/proxied/x');
    expect([answer.status, errorCode(answer)]).toEqual([403, 'ERR_OIDC_INSUFFICIENT_SCOPE']);
    await proxied.close();
    const other = await start(ok, { claims: ({ sub }) => sub === 'nobody' });
    const refused = await other.send('/proxied/x');
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_INSUFFICIENT_CLAIMS']);
    expect([...seen, ...other.seen]).toEqual([]);
  });

  it('is no page of another site', async () => {
    const { send, seen } = await start(ok);
    const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
    const answer = await send('/proxied/x', { method: 'POST', headers, body: 'a' });
    expect([answer.status, errorCode(answer)]).toEqual([403, 'ERR_OIDC_CROSS_SITE_REQUEST']);
    expect(seen).toEqual([]);
    expect((await send('/proxied/x', { method: 'POST', body: 'a' })).status).toBe(200);
  });

  it('gets the token of that API, and of no other', async () => {
    const resource = 'https://orders.example';
    const { flow, send } = await start(
      ok,
      { resource },
      {
        oidc: { resource: ['https://main.example', resource] },
      },
    );
    await send('/proxied/x');
    const [first, second] = flow.op.accessTokens.back;
    expect(second).not.toBe(first);
    expect(seenHeaders().authorization).toBe(`Bearer ${second}`);
    expect(flow.op.lastRequest('/token').parameters['resource']).toBe(resource);
  });
});

describe('the options of oidc.proxy()', () => {
  it.each([
    ['no target', { target: undefined as unknown as string }, 'ERR_OIDC_OPTION_MISSING'],
    ['no URL', { target: 'api.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['another scheme', { target: 'ftp://proxied.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['a query', { target: 'https://proxied.example/?a' }, 'ERR_OIDC_OPTION_INVALID'],
    ['a password', { target: 'https://a:b@api.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['http beyond loopback', { target: 'http://proxied.example' }, 'ERR_OIDC_OPTION_INVALID'],
    [
      'no time',
      { target: 'https://proxied.example', timeoutSeconds: 0 },
      'ERR_OIDC_OPTION_INVALID',
    ],
    ['no scope', { target: 'https://proxied.example', audience: '' }, 'ERR_OIDC_OPTION_INVALID'],
  ])('are refused at start-up: %s', async (_what, options, code) => {
    const { flow } = await start(ok);
    expect(() => flow.oidc.proxy(options)).toThrow(expect.objectContaining({ code }));
    expect(() => flow.oidc.proxy(options)).toThrow(OptionsError);
  });

  it('allow http for those who say so', async () => {
    const { flow } = await start(ok);
    const options = { target: 'http://proxied.example', dangerouslyAllowInsecureTarget: true };
    expect(flow.oidc.proxy(options)).toBeInstanceOf(Function);
  });

  it('rewrite redirects that stay below the target, and no others', async () => {
    let location = '';
    const { api, send } = await start(
      (_req, res) => void res.writeHead(302, { Location: location }).end(),
      { rewriteRedirects: true },
    );
    const base = `http://127.0.0.1:${api.port}`;
    for (const [from, to] of [
      [`${base}/v1/a?b#c`, '/proxied/a?b#c'],
      ['/v1/a', '/proxied/a'],
      ['../b', `/proxied/b`],
      ['c', '/proxied/x/c'],
      [`${base}/v1`, '/proxied/'],
      [`${base}/v1//evil.example`, '/proxied/evil.example'],
      ['/v2/a', '/v2/a'],
      ['/v10', '/v10'],
      ['https://other.example/v1/a', 'https://other.example/v1/a'],
      ['http://[', 'http://['],
    ] as const) {
      location = from;
      expect([from, (await send('/proxied/x/y')).headers.location]).toEqual([from, to]);
    }
  });
});

describe('a body that a parser has read', () => {
  it('is an error that says so, and not a request that never ends', async () => {
    const { send, seen } = await start(ok, {}, { before: (app) => void app.use(express.json()) });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await send('/proxied/x', { method: 'POST', headers, body: '{"a":1}' });
    expect([answer.status, errorCode(answer)]).toEqual([500, 'ERR_OIDC_PROXY_BODY_READ']);
    expect(seen).toEqual([]);
    expect((await send('/proxied/x', { method: 'POST', body: 'no JSON' })).status).toBe(200);
  });
});
