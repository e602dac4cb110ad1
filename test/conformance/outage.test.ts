import { afterEach, describe, expect, it } from '@jest/globals';
import type { AnswerLie } from '../../lib/testing/lies.ts';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import { Browser } from '../support/browser.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const login = (): ReturnType<Browser['navigate']> =>
  new Browser().navigate(`${flow.baseUrl}/private`);

describe('discovery', () => {
  it('is not needed to start, and is made up for without a restart', async () => {
    const op = await LyingOp.start();
    await op.stop();
    flow = await startFlow({ op });
    expect(await flow.browser.navigate(flow.baseUrl)).toMatchObject({ status: 200 });
    const refused = await login();
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNREACHABLE']);
    expect(refused.headers).toMatchObject({ 'retry-after': '5' });
    expect(refused.setCookies).toEqual([]);
    await expect(flow.oidc.ready()).rejects.toMatchObject({
      code: 'ERR_OIDC_PROVIDER_UNREACHABLE',
    });
    await op.resume();
    flow.clock.advance(1);
    await expect(flow.oidc.ready()).resolves.toBeUndefined();
    expect(await login()).toMatchObject({ status: 200 });
    await op.stop();
  });

  it('is made once for everybody who waits, and kept', async () => {
    flow = await startFlow();
    const arrivals = await Promise.all([login(), login(), login()]);
    expect(arrivals.map(({ status }) => status)).toEqual([200, 200, 200]);
    await login();
    expect(flow.op.count('/.well-known/openid-configuration')).toBe(1);
    expect(flow.op.count('/jwks')).toBe(1);
  });

  it('is renewed after an hour, while the old one serves; a failure changes nothing', async () => {
    flow = await startFlow();
    await login();
    flow.op.lie({ discovery: { status: 500, body: '' } });
    flow.clock.advance(3601);
    const held = flow.op.hold('/.well-known/openid-configuration');
    expect(await login()).toMatchObject({ status: 200 });
    await held.arrived;
    held.release();
    expect(await login()).toMatchObject({ status: 200 });
    expect(flow.op.count('/.well-known/openid-configuration')).toBe(2);
  });

  it.each([
    [
      'another issuer',
      { json: (body) => ({ ...body, issuer: 'https://evil.example' }) },
      502,
      'DISCOVERY_ISSUER',
    ],
    [
      'the issuer with a slash',
      { json: (body) => ({ ...body, issuer: `${body['issuer']}/` }) },
      502,
      'DISCOVERY_ISSUER',
    ],
    ['no token endpoint', { json: ({ token_endpoint, ...body }) => body }, 502, 'METADATA'],
    ['no keys', { json: ({ jwks_uri, ...body }) => body }, 502, 'METADATA'],
    [
      'an endpoint in a list',
      { json: (body) => ({ ...body, token_endpoint: [body['token_endpoint']] }) },
      502,
      'METADATA',
    ],
    [
      'an endpoint that is no URL',
      { json: (body) => ({ ...body, authorization_endpoint: 'javascript:alert(1)' }) },
      502,
      'METADATA',
    ],
    [
      'HTML',
      { headers: { 'content-type': 'text/html' }, body: '<h1>Hello</h1>' },
      502,
      'PROVIDER_RESPONSE',
    ],
    ['404', { status: 404, body: '' }, 502, 'PROVIDER_RESPONSE'],
    ['500', { status: 500, body: '' }, 503, 'PROVIDER_UNAVAILABLE'],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://evil.example' } },
      502,
      'PROVIDER_RESPONSE',
    ],
  ] as [string, AnswerLie, number, string][])(
    'that answers with %s is refused',
    async (_lie, lie, status, code) => {
      flow = await startFlow();
      flow.op.lie({ discovery: lie });
      const arrival = await login();
      expect([arrival.status, errorCode(arrival)]).toEqual([status, `ERR_OIDC_${code}`]);
      expect(flow.errors).toEqual([]);
    },
  );

  it('that failed is not tried again for a second, whoever asks', async () => {
    flow = await startFlow();
    flow.op.lie({ discovery: { status: 500, body: '' } });
    for (let round = 0; round < 10; round += 1) await login();
    expect(flow.op.count('/.well-known/openid-configuration')).toBe(1);
    flow.clock.advance(1);
    await login();
    expect(flow.op.count('/.well-known/openid-configuration')).toBe(2);
  });

  it('that is slow is waited for no longer than allowed', async () => {
    flow = await startFlow({ oidc: { httpTimeoutSeconds: 1 } });
    const held = flow.op.hold('/.well-known/openid-configuration');
    const arrival = await login();
    expect([arrival.status, errorCode(arrival)]).toEqual([503, 'ERR_OIDC_PROVIDER_TIMEOUT']);
    held.release();
  });
});

describe('keys', () => {
  it.each([
    ['an outage', { status: 503, body: '' }, 503, 'PROVIDER_UNAVAILABLE'],
    ['no JSON', { body: 'keys' }, 502, 'PROVIDER_RESPONSE'],
    ['no key set', { body: '{"keys":1}' }, 502, 'PROVIDER_RESPONSE'],
    [
      'a redirect',
      { status: 307, headers: { location: 'https://evil.example/jwks' } },
      502,
      'PROVIDER_RESPONSE',
    ],
  ] as [string, AnswerLie, number, string][])(
    'that cannot be had (%s) stop a login before it begins',
    async (_lie, jwks, status, code) => {
      flow = await startFlow();
      flow.op.lie({ jwks });
      const refused = await login();
      expect([refused.status, errorCode(refused)]).toEqual([status, `ERR_OIDC_${code}`]);
      flow.op.honest();
      flow.clock.advance(1);
      expect(await login()).toMatchObject({ status: 200 });
    },
  );

  it('serve on when they are old and cannot be fetched again', async () => {
    flow = await startFlow();
    await login();
    flow.op.lie({ jwks: { status: 503, body: '' } });
    flow.clock.advance(601);
    expect(await login()).toMatchObject({ status: 200 });
    expect(flow.op.count('/jwks')).toBe(2);
  });

  it('are few where they were many: a withdrawn key is not trusted after ten minutes', async () => {
    flow = await startFlow();
    await login();
    flow.op.lie({ jwks: { body: '{"keys":[]}' } });
    flow.clock.advance(601);
    expect(errorCode(await login())).toBe('ERR_OIDC_ID_TOKEN_KEY');
  });
});
