import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Browser } from '../support/browser.ts';
import { type DpopFlow, type DpopSetup, startDpopFlow } from '../support/dpop-flow.ts';
import { errorCode } from '../support/flow.ts';

let flow: DpopFlow;
afterEach(() => flow.close());

interface Answer {
  readonly status: string;
  readonly text: string;
}

/** An application whose user sends requests by hand, with these words for what they are for. */
async function start(
  setup: DpopSetup = {},
): Promise<(method: string, to: string) => Promise<Answer>> {
  flow = await startDpopFlow(setup);
  const browser = new Browser();
  await browser.navigate(`${flow.baseUrl}/token`);
  const cookies = await browser.jar.getCookieString(flow.baseUrl);
  return async (method, to) => {
    const socket = connect(Number(new URL(flow.baseUrl).port), '127.0.0.1');
    const head = [`${method} ${to} HTTP/1.1`, 'Host: localhost', `Cookie: ${cookies}`];
    socket.write([...head, 'Connection: close', '', ''].join('\r\n'));
    let text = '';
    for await (const chunk of socket) text += chunk;
    return { status: text.slice(9, 12), text };
  };
}

/** Shows what the guard has put on a request, wherever it would be sent. */
const showsProof: DpopSetup = {
  routes: (app, oidc, apiUrl) =>
    app.use('/raw', oidc.requireAuth({ proxied: { to: apiUrl } }), (req, res) => {
      const { htu } = decodeJwt(String(req.headers['dpop']));
      res.setHeader('x-proven', String(htu)).end();
    }),
};

const proven = ({ text }: Answer): string | undefined =>
  /^x-proven: (.*)$/im.exec(text)?.[1]?.trim();

describe('the request line of a proxied request, with DPoP', () => {
  it('is a path, for which a proof is made', async () => {
    const send = await start();
    expect(await send('GET', '/dpop/orders')).toMatchObject({ status: '200' });
    expect(flow.boundApi.calls).toEqual({ accepted: 1, refused: [] });
  });

  it.each([
    'http://other.example/dpop/orders',
    'https://other.example/dpop/orders',
    'http://localhost/dpop/orders',
    'http://.other.example/dpop/orders',
    'http://user@other.example:80/dpop/orders',
  ])('is no URL: %s', async (url) => {
    const send = await start();
    const refused = await send('GET', url);
    expect([refused.status, errorCode(refused)]).toEqual(['400', 'ERR_OIDC_PROXY_PATH']);
    expect(flow.boundApi.calls).toEqual({ accepted: 0, refused: [] });
  });

  it.each([
    ['/raw//other.example/orders', '//other.example/orders'],
    ['/raw/@other.example/orders', '/@other.example/orders'],
    ['/raw/:80/orders', '/:80/orders'],
    ['/raw/.other.example/orders', '/.other.example/orders'],
    ['/raw?to=http://other.example/', '/'],
    ['/raw/\\other.example', '//other.example'],
  ])('chooses no other server than the one of the guard: %s', async (path, expected) => {
    const send = await start(showsProof);
    expect(proven(await send('GET', path))).toBe(`${flow.apiUrl}${expected}`);
  });

  it('is not "*", which is no path either', async () => {
    const send = await start({
      routes: (app, oidc, apiUrl) =>
        app.use(oidc.requireAuth({ proxied: { to: apiUrl } }), (_req, res) => void res.end()),
    });
    expect(await send('OPTIONS', '/orders')).toMatchObject({ status: '200' });
    const refused = await send('OPTIONS', '*');
    expect([refused.status, errorCode(refused)]).toEqual(['400', 'ERR_OIDC_PROXY_PATH']);
  });

  it('is a path for a function that says where the request goes, too', async () => {
    const send = await start({
      routes: (app, oidc, apiUrl) =>
        app.use(
          '/rewritten',
          oidc.requireAuth({ proxied: { to: (req) => `${apiUrl}${req.url}` } }),
          (req, res) => {
            const { htu } = decodeJwt(String(req.headers['dpop']));
            res.setHeader('x-proven', String(htu)).end();
          },
        ),
    });
    expect(proven(await send('GET', '/rewritten/a'))).toBe(`${flow.apiUrl}/a`);
    for (const url of ['http://other.example/rewritten/a', '/rewritten//other.example/a']) {
      const refused = await send('GET', url);
      expect([refused.status, errorCode(refused)]).toEqual(['400', 'ERR_OIDC_PROXY_PATH']);
    }
  });
});

describe('the request line of a proxied request, with a bearer token', () => {
  it('is no URL either, to which a proxy could take it', async () => {
    const send = await start({
      oidc: { dpop: false },
      routes: (app, oidc) =>
        app.use('/plain', oidc.requireAuth({ proxied: true }), (req, res) => {
          res.end(new URL(req.url, 'https://api.example').host);
        }),
    });
    expect((await send('GET', '/plain/a')).text).toContain('api.example');
    for (const url of [
      'http://other.example/plain/a',
      // A link leads there, too.
      '/plain//other.example/a',
      '/plain/\\other.example/a',
      '/plain/\\/other.example/a',
    ]) {
      const refused = await send('GET', url);
      expect([refused.status, errorCode(refused)]).toEqual(['400', 'ERR_OIDC_PROXY_PATH']);
    }
  });

  it('may be a URL where the request goes nowhere', async () => {
    const send = await start();
    expect(await send('GET', 'http://other.example/token')).toMatchObject({ status: '200' });
  });
});
