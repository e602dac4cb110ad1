import { afterEach, describe, expect, it } from '@jest/globals';
import { AnswerTooLargeError, boundedFetch } from '../../lib/oidc/bounded-fetch.ts';
import { type Listening, listen } from '../support/listen.ts';

let server: Listening;
afterEach(() => server.close());

const cap = 1_048_576;
const url = (path = '/'): string => `http://127.0.0.1:${server.port}${path}`;
const fetchWithin = (httpTimeoutSeconds: number): ReturnType<typeof boundedFetch> =>
  boundedFetch({ fetch: globalThis.fetch, httpTimeoutSeconds });

describe('a fetch with bounds', () => {
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
});
