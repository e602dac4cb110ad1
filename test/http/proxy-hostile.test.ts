import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode } from '../support/flow.ts';
import { type ProxyFlow, readText, startProxyFlow } from '../support/proxy-flow.ts';

let proxied: ProxyFlow;
afterEach(() => proxied.close());

const start = async (...args: Parameters<typeof startProxyFlow>): Promise<ProxyFlow> => {
  proxied = await startProxyFlow(...args);
  return proxied;
};
const ok: Parameters<typeof startProxyFlow>[0] = (_req, res) => void res.end('{}');

describe('a caller of oidc.proxy()', () => {
  it.each([
    '/proxied/..',
    '/proxied/../v2',
    '/proxied/a/../../v2',
    '/proxied/./a',
    '/proxied/%2e%2e/v2',
    '/proxied/.%2E/v2',
    '/proxied/a/..%2fv2',
    '/proxied/..%5cv2',
    '/proxied/a\\..\\..\\v2',
    '/proxied/%252e%252e/v2',
    '/proxied/%25252e%25252e/v2',
    '/proxied/%25zz/%252e%252e/%252e%252e/v2',
    '/proxied/%25ff/%255c..%255cv2',
    '/proxied/%25c0%25ae%25c0%25ae/v2',
    '/proxied/..;/v2',
    '/proxied/..;a=b/v2',
    '/proxied/..%3b/v2',
    '/proxied/..%20/v2',
    '/proxied/a%00b',
    '/proxied/a%0d%0aX-Injected:%201',
    '/proxied/%',
    '/proxied/%ff',
    '/proxied/a#/../../v2',
  ])('does not leave the path of the target by %s', async (path) => {
    const { sendRaw, seen } = await start(ok);
    const answer = await sendRaw([`GET ${path} HTTP/1.1`, 'Connection: close', '', '']);
    expect([answer.slice(0, 12), errorCode({ text: answer })]).toEqual([
      'HTTP/1.1 400',
      'ERR_OIDC_PROXY_PATH',
    ]);
    const good = await sendRaw(['GET /proxied/a HTTP/1.1', 'Connection: close', '', '']);
    expect(good.slice(0, 12)).toBe('HTTP/1.1 200');
    expect(seen.map(({ url }) => url)).toEqual(['/v1/a']);
  });

  it.each([
    ['a URL with another host', 'http://evil.example/proxied/a', '/v1/a'],
    ['a URL of the application', 'http://localhost/proxied/a', '/v1/a'],
    ['a path that begins like a host', '/proxied//evil.example/a', '/v1//evil.example/a'],
    ['an encoded host', '/proxied/%2f%2fevil.example', '/v1/%2f%2fevil.example'],
    ['a user name', '/proxied/@evil.example', '/v1/@evil.example'],
    ['a port', '/proxied/:80', '/v1/:80'],
  ])('does not get to another host by %s', async (_what, url, expected) => {
    const { api, sendRaw, seen } = await start(ok);
    await sendRaw([`GET ${url} HTTP/1.1`, 'Connection: close', '', '']);
    const other = seen.filter(({ headers }) => headers.host !== `127.0.0.1:${api.port}`);
    expect(other).toEqual([]);
    // Whether it is answered or refused: at the target, below its path, or nowhere.
    for (const req of seen) expect(req.url).toBe(expected);
  });

  it('does not get to another host by the header of that name', async () => {
    const { api, send, seen } = await start(ok);
    await send('/proxied/a', { headers: { Host: 'evil.example' } });
    expect(seen[0]?.headers.host).toBe(`127.0.0.1:${api.port}`);
  });

  it('does not choose the token, the cookies, or who the request is from', async () => {
    const { flow, send, seen } = await start(ok);
    await send('/proxied/a', {
      headers: {
        Authorization: 'Bearer of the caller',
        Connection: 'keep-alive, Authorization, X-Listed',
        'X-Listed': 'a',
        'Proxy-Authorization': 'Basic abc',
        'Keep-Alive': 'timeout=5',
        TE: 'trailers',
        Forwarded: 'for=127.0.0.1',
        'X-Forwarded-For': '127.0.0.1',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Prefix': '/admin',
        'X-Real-IP': '127.0.0.1',
        'X-Original-URL': '/admin',
        'X-Rewrite-URL': '/admin',
        X_Forwarded_For: '127.0.0.1',
        X_Real_IP: '127.0.0.1',
        Proxy: 'http://evil.example',
        'X-Kept': 'a',
      },
    });
    const headers = seen[0]?.headers ?? {};
    expect(Object.keys(headers).sort()).toEqual(
      ['authorization', 'connection', 'host', 'origin', 'sec-fetch-site', 'via', 'x-kept'].sort(),
    );
    expect(headers.authorization).toBe(`Bearer ${flow.op.accessTokens.back[0]}`);
  });

  it('is told of to the API where that is wanted, by what the application knows', async () => {
    const { flow, send, seen } = await start(ok, { forwarded: true });
    await send('/proxied/a', {
      headers: {
        'X-Forwarded-For': '1.2.3.4',
        'X-Forwarded-Host': 'evil.example',
        Host: 'evil.example',
      },
    });
    const headers = seen[0]?.headers ?? {};
    expect(headers['x-forwarded-for']).toMatch(/^(::ffff:)?127\.0\.0\.1$/);
    expect(headers['x-forwarded-host']).toBe(new URL(flow.baseUrl).host);
    expect(headers['x-forwarded-proto']).toBe('http');
  });

  it('does not get the token back by TRACE', async () => {
    const { send, seen } = await start(ok);
    const answer = await send('/proxied/a', { method: 'TRACE' });
    expect([answer.status, errorCode(answer)]).toEqual([501, 'ERR_OIDC_PROXY_UNSUPPORTED']);
    expect(seen).toEqual([]);
  });

  it('is told that WebSockets are not proxied; other upgrades are passed over', async () => {
    const { sendRaw, seen } = await start(ok);
    const upgrade = (to: string) =>
      sendRaw(['GET /proxied/a HTTP/1.1', 'Connection: Upgrade, close', `Upgrade: ${to}`, '', '']);
    const refused = await upgrade('websocket');
    expect(refused.slice(0, 12)).toBe('HTTP/1.1 501');
    expect(errorCode({ text: refused })).toBe('ERR_OIDC_PROXY_UNSUPPORTED');
    expect(seen).toEqual([]);
    expect((await upgrade('h2c')).slice(0, 12)).toBe('HTTP/1.1 200');
    expect(seen[0]?.headers).not.toHaveProperty('upgrade');
  });
});

describe('a second request inside a first one', () => {
  const smuggled = 'GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

  it.each([
    ['two lengths', ['Content-Length: 5', `Content-Length: ${smuggled.length}`]],
    [
      'a length and an encoding',
      [`Content-Length: ${smuggled.length}`, 'Transfer-Encoding: chunked'],
    ],
    ['an encoding that is none', ['Transfer-Encoding: xchunked']],
    ['an encoding behind another', ['Transfer-Encoding: chunked, identity']],
    ['a length with a sign', [`Content-Length: +${smuggled.length}`]],
    ['an encoding with a space before the colon', ['Transfer-Encoding : chunked']],
    ['an encoding on a line that goes on', ['Transfer-Encoding:', ' chunked, x']],
  ])('by %s does not reach the API', async (_how, lines) => {
    const { sendRaw, seen } = await start((req, res) => {
      req.resume();
      req.on('end', () => res.end('{}'));
    });
    await sendRaw([
      'POST /proxied/a HTTP/1.1',
      ...lines,
      'Connection: close',
      '',
      `0\r\n\r\n${smuggled}`,
    ]);
    expect(seen.filter(({ url }) => url !== '/v1/a')).toEqual([]);
  });

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])(
    'by a chunked %s does not reach the API',
    async (method) => {
      const { sendRaw, seen } = await start(ok);
      const size = smuggled.length.toString(16);
      const body = `${size}\r\n${smuggled}\r\n0\r\n\r\n`;
      const lines = ['Transfer-Encoding: chunked', 'Connection: close', '', body];
      const answer = await sendRaw([`${method} /proxied/a HTTP/1.1`, ...lines]);
      expect(answer.slice(0, 12)).toBe('HTTP/1.1 411');
      expect(seen).toEqual([]);
    },
  );

  it.each(['POST', 'GET'])('in the body of a %s stays a body', async (method) => {
    const bodies: string[] = [];
    const { send, seen } = await start(async (req, res) => {
      bodies.push(await readText(req));
      res.end('{}');
    });
    const headers = { 'Content-Length': String(smuggled.length) };
    expect((await send('/proxied/a', { method, headers, body: smuggled })).status).toBe(200);
    expect((await send('/proxied/b')).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(['/v1/a', '/v1/b']);
    expect(bodies[0]).toBe(smuggled);
  });

  it('behind a body that the API did not wait for is not read', async () => {
    const { cookie, flow, seen } = await start((_req, res) => {
      res.writeHead(413, { Connection: 'close' }).end('too large');
    });
    const socket = connect(Number(new URL(flow.baseUrl).port), 'localhost');
    const head = (url: string, rest: string): string =>
      `POST ${url} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n${rest}`;
    socket.write(
      head('/proxied/a', `Cookie: ${await cookie()}\r\nContent-Length: 100000\r\n\r\nbegin`),
    );
    const answer = await readText(socket);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(seen).toHaveLength(1);
  });
});

describe('an API behind oidc.proxy()', () => {
  it('does not speak for the origin of the application', async () => {
    const { send } = await start((req, res) => {
      res.writeHead(200, {
        'Set-Cookie': ['connect.sid=evil; Path=/', 'a=b'],
        'Access-Control-Allow-Origin': String(req.headers.origin),
        'Access-Control-Allow-Credentials': 'true',
        'Clear-Site-Data': '"*"',
        'Alt-Svc': 'h3=":443"',
        'Strict-Transport-Security': 'max-age=1',
        'Service-Worker-Allowed': '/',
        Connection: 'keep-alive, X-Listed',
        'X-Listed': 'a',
        'Proxy-Authenticate': 'Basic',
        'X-Kept': 'a',
      });
      res.end('{}');
    });
    const { headers } = await send('/proxied/a');
    expect(headers).toMatchObject({ 'x-kept': 'a' });
    const names = Object.keys(headers).filter((name) => name !== 'x-powered-by');
    expect(names.sort()).toEqual(
      ['cache-control', 'connection', 'date', 'keep-alive', 'transfer-encoding', 'x-kept'].sort(),
    );
  });

  it.each([
    [undefined, 'private'],
    ['max-age=60', 'max-age=60, private'],
    ['public, max-age=60', 'public, max-age=60'],
    ['s-maxage=60', 's-maxage=60'],
    ['no-store', 'no-store'],
    ['private', 'private'],
    ['x-public-y', 'x-public-y, private'],
  ])('whose Cache-Control is %s fills no cache for others', async (sent, expected) => {
    const { send } = await start((_req, res) => {
      res.writeHead(200, sent === undefined ? {} : { 'Cache-Control': sent }).end('{}');
    });
    expect((await send('/proxied/a')).headers['cache-control']).toBe(expected);
  });

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n'],
    ['a header that is none', 'HTTP/1.1 200 OK\r\nA B: c\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['nothing', ''],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ])('that answers %s is a 502', async (_what, answer) => {
    const { flow, send } = await start((req) => void req.socket.end(answer));
    const got = await send('/proxied/a');
    expect([got.status, errorCode(got)]).toEqual([502, 'ERR_OIDC_PROXY_FAILED']);
    expect(got.text).not.toContain(String(flow.op.accessTokens.back[0]));
    expect(flow.errors).toEqual([]);
  });
});
