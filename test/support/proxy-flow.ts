import type { RequestListener } from 'node:http';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import type { Express } from 'express';
import type { HybridFlow, ProxyOptions } from 'passport-oidc-hybrid';
import { type Flow, type FlowSetup, startFlow } from './flow.ts';
import { type Listening, listen } from './listen.ts';

/** What came back of a request, to the letter. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** An application that proxies `/proxied` to an API, and somebody who is signed in to it. */
export interface ProxyFlow {
  readonly flow: Flow;
  readonly api: Listening;
  /** Requests that reached the API. */
  readonly seen: IncomingMessage[];
  /** The `Cookie` header of who is signed in. */
  cookie(): Promise<string>;
  /** A request of a page of the application, with a path that nobody makes prettier. */
  send(path: string, init?: SendInit): Promise<RawAnswer>;
  /** A request as bytes, up to the end of the connection. */
  sendRaw(lines: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Mounts another proxy, to the origin of the API. */
type Mount = (app: Express, oidc: HybridFlow, origin: string) => void;

interface SendInit {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** Starts it. The API is at the path `/v1` unless the options say otherwise. */
export async function startProxyFlow(
  answer: RequestListener,
  options: Partial<ProxyOptions> = {},
  setup: FlowSetup & { mount?: Mount } = {},
): Promise<ProxyFlow> {
  const seen: IncomingMessage[] = [];
  const api = await listen((req, res) => {
    seen.push(req);
    answer(req, res);
  });
  const target = `http://127.0.0.1:${api.port}/v1`;
  const flow = await startFlow({
    ...setup,
    routes: (app, oidc) => {
      setup.routes?.(app, oidc);
      setup.mount?.(app, oidc, new URL(target).origin);
      app.use('/proxied', oidc.proxy({ target, ...options }));
      app.use(oidc.errorHandler());
    },
  });
  await flow.signIn();
  const { port } = new URL(flow.baseUrl);
  const cookie = () => flow.browser.jar.getCookieString(flow.baseUrl);

  return {
    flow,
    api,
    seen,
    cookie,
    async send(path, { method = 'GET', headers = {}, body } = {}) {
      const sameOrigin = { 'Sec-Fetch-Site': 'same-origin', Origin: flow.baseUrl };
      const all = { Cookie: await cookie(), ...sameOrigin, ...headers };
      return new Promise((resolve, reject) => {
        const sent = request({ host: 'localhost', port, path, method, headers: all }, (res) => {
          readText(res).then(
            (text) => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }),
            reject,
          );
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    async sendRaw(lines) {
      const socket = connect(Number(port), 'localhost');
      const same = [`Cookie: ${await cookie()}`, 'Sec-Fetch-Site: same-origin', 'Host: localhost'];
      const [first = '', ...rest] = lines;
      socket.write([first, ...same, ...rest].join('\r\n'));
      return readText(socket);
    },
    async close() {
      await flow.close();
      await api.close();
    },
  };
}

/** A stream to its end. */
export async function readText(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
