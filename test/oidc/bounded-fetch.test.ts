import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AnswerTooLargeError } from '../../lib/oidc/bounded-answer.ts';
import { boundedFetch } from '../../lib/oidc/bounded-fetch.ts';
import { type Listening, listen } from '../support/listen.ts';

let server: Listening;
afterEach(() => server.close());

const cap = 1_048_576;
const url = (path = '/'): string => `http://127.0.0.1:${server.port}${path}`;

describe.each([
  ['by undici', undefined],
  ['by a fetch of the application', globalThis.fetch],
])('a fetch with bounds, %s', (_by, customFetch) => {
  const fetchWithin = (httpTimeoutSeconds: number): ReturnType<typeof boundedFetch> =>
    boundedFetch({ customFetch, httpTimeoutSeconds });

  it('ends an answer whose body does not end, whatever signal the caller has', async () => {
    server = await listen((_req, res) => void res.writeHead(200).write('{'));
    const { signal } = new AbortController();
    await expect(fetchWithin(0.05)(url(), { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('ends a wait for an answer that never begins', async () => {
    server = await listen(() => undefined);
    await expect(fetchWithin(0.05)(url())).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('follows no redirect, even if the caller would', async () => {
    const paths: (string | undefined)[] = [];
    server = await listen((req, res) => {
      paths.push(req.url);
      res.writeHead(307, { location: '/elsewhere' }).end();
    });
    const response = await fetchWithin(10)(url(), { redirect: 'follow', method: 'POST' });
    expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere']);
    expect(paths).toEqual(['/']);
  });

  it('reads a body up to the cap, and not a byte more', async () => {
    server = await listen((req, res) => void res.end(Buffer.alloc(Number(req.url?.slice(1)))));
    const whole = await fetchWithin(10)(url(`/${cap}`));
    expect((await whole.arrayBuffer()).byteLength).toBe(cap);
    await expect(fetchWithin(10)(url(`/${cap + 1}`))).rejects.toBeInstanceOf(AnswerTooLargeError);
  });

  it.each([204, 205, 304])('passes on %i, which has no body', async (status) => {
    server = await listen((_req, res) => void res.writeHead(status).end());
    expect(await fetchWithin(10)(url())).toMatchObject({ status, body: null });
  });

  it('passes on 205 without the body that it must not have', async () => {
    server = await listen((_req, res) => void res.writeHead(205).end('body'));
    expect(await fetchWithin(10)(url())).toMatchObject({ status: 205, body: null });
  });

  it('names a refused connection and an answer that breaks off as fetch does', async () => {
    server = await listen((_req, res) => {
      res.writeHead(200, { 'content-length': 10 }).write('half');
      setImmediate(() => res.destroy());
    });
    await expect(fetchWithin(10)(url())).rejects.toMatchObject({ name: 'TypeError' });
    await server.close();
    await expect(fetchWithin(10)(url())).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
    });
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('reads an answer that was compressed without being asked for: %s', async (name, compress) => {
    const text = JSON.stringify({ a: 'b'.repeat(1000) });
    server = await listen((_req, res) => {
      res.writeHead(200, { 'content-encoding': name }).end(compress(text));
    });
    expect(await (await fetchWithin(10)(url())).text()).toBe(text);
  });

  it('inflates no answer beyond the cap', async () => {
    server = await listen((_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(cap + 1)));
    });
    await expect(fetchWithin(10)(url())).rejects.toBeInstanceOf(AnswerTooLargeError);
  });

  it('sends a form as it is, and gives back status and fields', async () => {
    const seen: unknown[] = [];
    server = await listen(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += chunk;
      seen.push([req.method, req.headers.authorization, req.headers['content-type'], body]);
      const challenge = 'Basic realm="op"';
      res.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': challenge });
      res.end('{}');
    });
    const send = fetchWithin(10);
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    for (let time = 0; time < 2; time += 1) {
      const response = await send(url(), {
        method: 'POST',
        headers: { authorization: 'Basic abc', 'content-type': type },
        body: new URLSearchParams({ code: 'a b+c', umlaut: '\u00e4' }),
      });
      expect([response.status, await response.json()]).toEqual([401, {}]);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(response.headers.get('www-authenticate')).toBe('Basic realm="op"');
    }
    const expected = ['POST', 'Basic abc', type, 'code=a+b%2Bc&umlaut=%C3%A4'];
    expect(seen).toEqual([expected, expected]);
  });

  it('rewrites good answers to a POST, and no others', async () => {
    server = await listen((req, res) => {
      res.writeHead(req.url === '/bad' ? 400 : 200).end('text');
    });
    const rewriting = boundedFetch({ customFetch, httpTimeoutSeconds: 10 }, () => 'rewritten');
    const texts = await Promise.all(
      [
        ['/', 'POST'],
        ['/', 'GET'],
        ['/bad', 'POST'],
      ].map(async ([path = '', method]) => (await rewriting(url(path), { method })).text()),
    );
    expect(texts).toEqual(['rewritten', 'text', 'text']);
  });
});

it('keeps its connections by undici', async () => {
  const sockets = new Set<unknown>();
  server = await listen((req, res) => {
    sockets.add(req.socket);
    res.end('{}');
  });
  const send = boundedFetch({ customFetch: undefined, httpTimeoutSeconds: 10 });
  for (let time = 0; time < 20; time += 1) await (await send(url())).json();
  // It may begin with a second one, where the first is not seen to be free yet.
  expect(sockets.size).toBeLessThan(3);
});
