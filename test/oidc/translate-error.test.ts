import { describe, expect, it } from '@jest/globals';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { refuseOutage, translateError } from '../../lib/oidc/translate-error.ts';
import { type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';

/** What becomes of an answer of the token endpoint. */
async function failure(token: OpByFetch['token']): Promise<unknown> {
  const op = opByFetch();
  op.token = token;
  const request = requestTokens(createProvider(op.options), 'refresh_token', {});
  return request.catch((error: unknown) => error);
}

describe('errors of the token endpoint', () => {
  it.each([408, 429, 500, 502])('%i is an outage, whatever the body says', async (status) => {
    for (const body of ['{"error":"invalid_grant"}', 'busy']) {
      expect(await failure(() => new Response(body, { status }))).toMatchObject({
        code: 'ERR_OIDC_PROVIDER_UNAVAILABLE',
        status: 503,
      });
    }
  });

  it.each(['invalid_client', 'unauthorized_client'])('%s is a matter of set-up', async (error) => {
    expect(await failure(() => Response.json({ error }, { status: 400 }))).toMatchObject({
      code: 'ERR_OIDC_CLIENT_REFUSED',
      error,
    });
  });

  it.each([
    ['access_denied', 401, 'ERR_OIDC_CLIENT_REFUSED'],
    ['access_denied', 403, 'ERR_OIDC_TOKEN_ENDPOINT_ERROR'],
    ['invalid_grant', 401, 'ERR_OIDC_GRANT_REFUSED'],
  ])('%s with %i is %s', async (error, status, code) => {
    expect(await failure(() => Response.json({ error }, { status }))).toMatchObject({
      code,
      error,
    });
  });

  it.each(['AbortError', 'TimeoutError'])('%s of fetch is a wait given up', async (name) => {
    const abort = (): Promise<Response> => Promise.reject(new DOMException('given up', name));
    expect(await failure(abort)).toMatchObject({ code: 'ERR_OIDC_PROVIDER_TIMEOUT' });
  });

  it('a challenge that names no error refuses the client', async () => {
    const headers = { 'WWW-Authenticate': 'Basic realm="op"' };
    expect(await failure(() => new Response('', { status: 401, headers }))).toMatchObject({
      code: 'ERR_OIDC_CLIENT_REFUSED',
      error: undefined,
    });
  });

  it("a mistake in the application's own fetch is no outage", async () => {
    const broken = (): Promise<Response> => Promise.reject(new TypeError('x is not a function'));
    expect(await failure(broken)).toMatchObject({ code: 'ERR_OIDC_PROVIDER_RESPONSE' });
  });

  it('407 is no outage', async () => {
    expect(await failure(() => new Response('no', { status: 407 }))).toMatchObject({
      code: 'ERR_OIDC_PROVIDER_RESPONSE',
    });
  });
});

describe('the causes of an error', () => {
  const depthOf = (error: unknown): number => {
    const { cause } = error as { cause?: unknown };
    return cause === undefined ? 0 : 1 + depthOf(cause);
  };

  it('are followed eight deep, and not for ever', () => {
    const loop = new Error('round and round');
    loop.cause = loop;
    expect(depthOf(translateError(loop, 'token'))).toBe(8);
  });

  it.each([null, undefined])('end at %s', (cause) => {
    expect(depthOf(translateError(new Error('x', { cause }), 'token'))).toBe(1);
  });

  it.each([
    ['response', { response: new Response('', { status: 503 }), body: {} }],
    ['body', { body: new Response('', { status: 503 }) }],
  ])('may stand in a plain object, as its %s', (_name, box) => {
    expect(translateError(new Error('x', { cause: box }), 'token')).toMatchObject({
      code: 'ERR_OIDC_PROVIDER_UNAVAILABLE',
    });
  });
});

describe('the status of an answer', () => {
  it.each([408, 429, 500])('%i tells of an outage', (status) => {
    expect(() => refuseOutage(new Response(null, { status }), 'jwks')).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_PROVIDER_UNAVAILABLE', endpoint: 'jwks' }),
    );
  });

  it.each([200, 404, 428])('%i does not', (status) => {
    const response = new Response(null, { status });
    expect(refuseOutage(response, 'jwks')).toBe(response);
  });
});
