import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, json } from '../support/flow.ts';
import { type ProxyFlow, readText, startProxyFlow } from '../support/proxy-flow.ts';

let proxied: ProxyFlow;
afterEach(() => proxied.close());

const challenge = 'Bearer error="invalid_token", error_description="revoked"';

/** Starts an API that has revoked some tokens, counted from the login's own, and says what it was sent. */
async function start(
  revoked: number,
  options: Parameters<typeof startProxyFlow>[1] = {},
  setup: Parameters<typeof startProxyFlow>[2] = {},
): Promise<ProxyFlow> {
  proxied = await startProxyFlow(
    async (req, res) => {
      const text = await readText(req);
      const tokens = proxied.flow.op.accessTokens.back.map((token) => `Bearer ${token}`);
      const index = tokens.indexOf(req.headers.authorization ?? '');
      const isRevoked = index < revoked;
      if (isRevoked) res.writeHead(401, { 'WWW-Authenticate': challenge });
      res.end(JSON.stringify({ index, text }));
    },
    options,
    setup,
  );
  return proxied;
}

const refreshes = (): number => proxied.flow.op.count('/token') - 1;

describe('a token that the API refuses', () => {
  it.each([
    ['GET', undefined],
    ['POST', 'text'],
    ['DELETE', 'text'],
  ])('is renewed, and the %s sent once more, body and all (%s)', async (method, body) => {
    const { send, seen } = await start(1);
    const headers = { 'Content-Length': String(body?.length ?? 0) };
    const answer = await send('/proxied/a?b', { method, headers, ...(body && { body }) });
    expect(answer.status).toBe(200);
    expect(json(answer)).toEqual({ index: 1, text: body ?? '' });
    expect(seen.map((req) => [req.method, req.url])).toEqual([
      [method, '/v1/a?b'],
      [method, '/v1/a?b'],
    ]);
    expect(refreshes()).toBe(1);
  });

  it('is renewed once for all requests that it was refused for', async () => {
    const { send } = await start(1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('/proxied/a')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(refreshes()).toBe(1);
  });

  it('is renewed for the API of the proxy, and not for the login', async () => {
    const resource = 'https://orders.example';
    const oidc = { resource: ['https://main.example', resource] };
    const { flow, send, seen } = await start(2, { resource }, { oidc });
    expect((await send('/proxied/a')).status).toBe(200);
    const sent = seen.map(({ headers }) => headers.authorization);
    const [, second, third] = flow.op.accessTokens.back;
    expect(sent).toEqual([`Bearer ${second}`, `Bearer ${third}`]);
    expect(flow.op.lastRequest('/token').parameters['resource']).toBe(resource);
  });

  it('gets the caller the answer of the API, where the next one is refused too', async () => {
    const { send, seen } = await start(2);
    const answer = await send('/proxied/a');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(json(answer)).toEqual({ index: 1, text: '' });
    expect(seen).toHaveLength(2);
    expect((await send('/proxied/a')).status).toBe(401);
    // Not one refresh for each request that the API refuses.
    expect(refreshes()).toBe(1);
  });

  it.each([
    ['a body of unknown length', {}, 'text'],
    ['a long body', { 'Content-Length': '70000' }, 'a'.repeat(70_000)],
  ])('is not renewed for %s, which has gone', async (_what, length, body) => {
    const { send, seen } = await start(1);
    const headers = {
      ...length,
      ...('Content-Length' in length ? {} : { 'Transfer-Encoding': 'chunked' }),
    };
    const answer = await send('/proxied/a', { method: 'POST', headers, body });
    expect(answer.status).toBe(401);
    expect(json(answer)['text']).toBe(body);
    expect(seen).toHaveLength(1);
    expect(refreshes()).toBe(0);
  });

  it('is not renewed where the API wants something else', async () => {
    proxied = await startProxyFlow((_req, res) => {
      res.writeHead(401, { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' }).end('{}');
    });
    expect((await proxied.send('/proxied/a')).status).toBe(401);
    expect(proxied.seen).toHaveLength(1);
    expect(refreshes()).toBe(0);
  });

  it('ends the login, where the OP refuses to renew it', async () => {
    const { flow, send } = await start(1);
    flow.op.lie({ refresh: { status: 400, json: () => ({ error: 'invalid_grant' }) } });
    const answer = await send('/proxied/a');
    expect([answer.status, errorCode(answer)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.loginKeys()).toEqual([]);
  });

  it('is sent once more as it is in an outage of the OP, and the answer is the API’s', async () => {
    const { flow, send } = await start(1);
    flow.op.lie({ refresh: { status: 503 } });
    const answer = await send('/proxied/a');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(await flow.loginKeys()).toHaveLength(2);
  });
});

describe('an API that wants the user to sign in anew', () => {
  const demands = 'Bearer error="insufficient_user_authentication", acr_values="mfa"';

  it('gets a page to a login with what it demands, and a program told of it', async () => {
    proxied = await startProxyFlow((_req, res) => {
      const isMet = proxied.flow.op.count('/authorize') > 1;
      if (!isMet) res.writeHead(401, { 'WWW-Authenticate': demands });
      res.end('{"done":true}');
    });
    const { flow, send } = proxied;
    const told = await send('/proxied/a');
    expect([told.status, errorCode(told)]).toEqual([401, 'ERR_OIDC_STEP_UP_REQUIRED']);
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/proxied/a`);
    expect(flow.op.lastRequest('/authorize').parameters['acr_values']).toBe('mfa');
    expect(json(arrival)).toEqual({ done: true });
  });
});
