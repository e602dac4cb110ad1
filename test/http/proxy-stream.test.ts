import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { subscribe } from 'passport-oidc-hybrid';
import { eventually } from '../support/eventually.ts';
import { errorCode } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';
import { type ProxyFlow, readText, startProxyFlow } from '../support/proxy-flow.ts';

let proxied: ProxyFlow;
afterEach(() => proxied.close());

const start = async (...args: Parameters<typeof startProxyFlow>): Promise<ProxyFlow> => {
  proxied = await startProxyFlow(...args);
  return proxied;
};

/** A request whose body and answer are in the hands of the test. */
async function open(method: 'GET' | 'POST', headers: Record<string, string> = {}) {
  const { port } = new URL(proxied.flow.baseUrl);
  const sent = request({
    host: 'localhost',
    port,
    path: '/proxied/a',
    method,
    headers: { Cookie: await proxied.cookie(), 'Sec-Fetch-Site': 'same-origin', ...headers },
  });
  // A connection that breaks off is what some tests are about.
  sent.on('error', () => undefined);
  sent.flushHeaders();
  return sent;
}

const answerTo = async (sent: ClientRequest): Promise<IncomingMessage> => {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
};

describe('a stream through oidc.proxy()', () => {
  it('brings each part of an answer when it comes', async () => {
    const gate = createGate();
    await start(async (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
      await gate.wait();
      res.end('data: 2\n\n');
    });
    const sent = await open('GET');
    sent.end();
    const answer = await answerTo(sent);
    const [first] = await once(answer, 'data');
    expect(String(first)).toBe('data: 1\n\n');
    gate.open();
    expect(await readText(answer)).toBe('data: 2\n\n');
  });

  it.each([
    ['of unknown length', {}],
    ['of a length that is said', { 'Content-Length': '100000' }],
  ])('brings each part of a body %s when it comes', async (_what, headers) => {
    const gate = createGate();
    const lengths: number[] = [];
    const { seen } = await start(async (req, res) => {
      for await (const chunk of req) {
        lengths.push(chunk.length);
        void gate.wait();
      }
      res.end('{}');
    });
    const sent = await open('POST', headers);
    sent.write('a'.repeat(10));
    await gate.reached;
    expect(lengths).toEqual([10]);
    sent.end('b'.repeat(99_990));
    expect((await answerTo(sent)).statusCode).toBe(200);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(100_000);
    const { 'content-length': length, 'transfer-encoding': encoding } = seen[0]?.headers ?? {};
    expect([length, encoding]).toEqual(
      'Content-Length' in headers ? ['100000', undefined] : [undefined, 'chunked'],
    );
  });

  it('is held back by a reader that does not read, and comes whole', async () => {
    const [chunk, chunks] = [Buffer.alloc(1_000_000, 'a'), 100];
    let written = 0;
    await start(async (_req, res) => {
      for (; written < chunks; written += 1) if (!res.write(chunk)) await once(res, 'drain');
      res.end();
    });
    const sent = await open('GET');
    sent.end();
    const answer = await answerTo(sent);
    let [before, turns] = [-1, 0];
    // All of it happens in this process: when nothing moves for so long, nothing will.
    while (turns < 500) {
      turns = before === written ? turns + 1 : 0;
      before = written;
      await turn();
    }
    expect(written).toBeLessThan(chunks / 2);
    let length = 0;
    for await (const part of answer) length += part.length;
    expect(length).toBe(chunks * chunk.length);
  });
});

describe('a caller that goes', () => {
  it('before the answer ends the request to the API', async () => {
    const gate = createGate();
    const { flow, seen } = await start(() => void gate.wait());
    const sent = await open('GET');
    sent.end();
    await gate.reached;
    sent.destroy();
    await once(seen[0]?.socket ?? sent, 'close');
    expect(flow.errors).toEqual([]);
  });

  it('in the middle of the answer ends it at the API', async () => {
    let answering: ServerResponse | undefined;
    const { flow } = await start((_req, res) => {
      answering = res;
      res.write('part');
    });
    const sent = await open('GET');
    sent.end();
    await once(await answerTo(sent), 'data');
    sent.destroy();
    await eventually(() => answering?.closed === true);
    expect(answering?.writableEnded).toBe(false);
    expect(flow.errors).toEqual([]);
  });

  it.each([
    ['of unknown length', {}],
    ['of a length that is said', { 'Content-Length': '100000' }],
  ])('in the middle of a body %s gives the API no whole one', async (_what, headers) => {
    const gate = createGate();
    const { seen } = await start((req) => {
      req.on('error', () => undefined).on('data', () => void gate.wait());
    });
    const sent = await open('POST', headers);
    sent.write('begin');
    await gate.reached;
    sent.destroy();
    const [req] = seen;
    await eventually(() => req?.closed === true);
    expect(req?.complete).toBe(false);
  });
});

describe('an API that fails', () => {
  it('before its answer is a 502, which events tell of', async () => {
    const told: unknown[] = [];
    const { api, flow, send } = await start((_req, res) => void res.end('{}'));
    expect((await send('/proxied/a')).status).toBe(200);
    await api.close();
    const unsubscribe = subscribe('error', ({ error }) => told.push(error.code));
    const answer = await send('/proxied/a').finally(unsubscribe);
    expect([answer.status, errorCode(answer)]).toEqual([502, 'ERR_OIDC_PROXY_FAILED']);
    expect(told).toEqual(['ERR_OIDC_PROXY_FAILED']);
    expect(flow.errors).toEqual([]);
  });

  it('in the middle of its answer does not look as if that was all', async () => {
    const told: unknown[] = [];
    const { flow } = await start((_req, res) => {
      res.writeHead(200, { 'Content-Length': 1000 }).write('part', () => res.destroy());
    });
    const unsubscribe = subscribe('error', ({ error }) => told.push(error.code));
    const sent = await open('GET');
    sent.end();
    const answer = await answerTo(sent);
    await expect(readText(answer)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await eventually(() => told.length > 0);
    unsubscribe();
    expect(told).toEqual(['ERR_OIDC_PROXY_FAILED']);
    expect(flow.errors).toEqual([]);
  });

  it('to answer in time is a 504', async () => {
    const { send } = await start(() => undefined, { timeoutSeconds: 0.05 });
    const answer = await send('/proxied/a');
    expect([answer.status, errorCode(answer)]).toEqual([504, 'ERR_OIDC_PROXY_TIMEOUT']);
  });

  it('while a body is on its way leaves a connection on which the next request is answered', async () => {
    const { api, sendRaw } = await start((_req, res) => void res.end('{}'));
    await api.close();
    const answers = await sendRaw([
      'POST /proxied/a HTTP/1.1',
      'Content-Length: 2000000',
      '',
      `${'a'.repeat(2_000_000)}GET /nothing HTTP/1.1`,
      'Host: localhost',
      'Connection: close',
      '',
      '',
    ]);
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 502', 'HTTP/1.1 404']);
  });

  it('while a body is on its way gets the caller an answer, and leaves the request whole', async () => {
    const { send } = await start(
      (req) => void req.socket.destroy(),
      {},
      {
        oidc: {
          onError: ({ error, req, res }) =>
            void res.status(error.status).send(`${error.code} ${req.ip}`),
        },
      },
    );
    const headers = { 'Content-Length': '200000' };
    const body = 'a'.repeat(200_000);
    const answer = await send('/proxied/a', { method: 'POST', headers, body });
    expect(answer.status).toBe(502);
    expect(answer.text).toMatch(/^ERR_OIDC_PROXY_FAILED .*127\.0\.0\.1$/);
  });
});
