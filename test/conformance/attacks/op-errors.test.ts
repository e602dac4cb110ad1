import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { upTo } from '../../support/half-login.ts';

type Parameters = [name: string, value: string][];

let flow: Flow;
afterEach(() => flow.close());

const markup = '<img src=x onerror=alert(1)>"\'&';
const failing =
  (error: string, more: Parameters = []) =>
  (parameters: Parameters): Parameters => [
    ...parameters.filter(([name]) => ['state', 'iss'].includes(name)),
    ['error', error],
    ...more,
  ];

/** What the page says to a visitor, by the status: nothing of an answer that was changed or late. */
const saying: Readonly<Record<number, string>> = {
  403: 'You can try again',
  502: 'Sign-in is not available at the moment',
  503: 'Sign-in is not available at the moment',
};

describe('RFC 6749 4.1.2.1 an error of the OP', () => {
  it.each([
    ['access_denied', 403, 'ERR_OIDC_ACCESS_DENIED'],
    ['login_required', 403, 'ERR_OIDC_OP_ERROR'],
    ['consent_required', 403, 'ERR_OIDC_OP_ERROR'],
    ['unsupported_response_type', 403, 'ERR_OIDC_OP_ERROR'],
    ['not_in_the_registry', 403, 'ERR_OIDC_OP_ERROR'],
    ['constructor', 403, 'ERR_OIDC_OP_ERROR'],
    ['server_error', 502, 'ERR_OIDC_OP_ERROR'],
    ['temporarily_unavailable', 503, 'ERR_OIDC_OP_ERROR'],
  ])('%s is %i, by GET and by POST, with a way to try again', async (error, status, code) => {
    for (const responseMode of ['form_post', 'query'] as const) {
      flow = await startFlow();
      flow.op.lie({ response: failing(error), responseMode });
      const arrival = await flow.signIn();
      expect([arrival.status, errorCode(arrival)]).toEqual([status, code]);
      expect(arrival.text).toContain('href="/login?return_to=%2Fprivate"');
      expect(arrival.text).toContain(saying[status]);
      expect(await flow.storeKeys()).toEqual([]);
      expect(flow.op.count('/token')).toBe(0);
      flow.op.honest();
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.close();
    }
    flow = await startFlow();
  });

  it.each(['form_post', 'query'] as const)('by %s, beside a code: is an error', async (mode) => {
    flow = await startFlow();
    flow.op.lie({
      response: (parameters) => [...parameters, ['error', 'access_denied']],
      responseMode: mode,
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ACCESS_DENIED');
    expect(flow.op.count('/token')).toBe(0);
  });

  it.each(['form_post', 'query'] as const)(
    'by %s, with another iss: is refused as that',
    async (responseMode) => {
      flow = await startFlow();
      flow.op.lie({
        responseMode,
        response: (parameters) =>
          failing('access_denied')(parameters).map(([name, value]) => [
            name,
            name === 'iss' ? 'https://evil.example' : value,
          ]),
      });
      expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ISS_MISMATCH');
    },
  );
});

describe('an error that anybody may have sent', () => {
  const send = (method: 'GET' | 'POST', parameters: Parameters): ReturnType<Flow['signIn']> => {
    const text = new URLSearchParams(parameters).toString();
    const url = `${flow.baseUrl}/callback`;
    const from = 'https://evil.example';
    return flow.browser.navigate(
      method === 'POST'
        ? { method, url, from, body: text }
        : { method, url: `${url}?${text}`, from },
    );
  };

  it.each(['GET', 'POST'] as const)('%s without a state ends no login', async (method) => {
    flow = await startFlow();
    const pending = await upTo(flow, '/callback');
    const stray = await send(method, [['error', 'server_error']]);
    expect([stray.status, errorCode(stray)]).toEqual([400, 'ERR_OIDC_OP_ERROR']);
    expect(await flow.browser.navigate(pending)).toMatchObject({ status: 200 });
  });

  it.each(['GET', 'POST'] as const)('%s with a foreign state ends no login', async (method) => {
    flow = await startFlow();
    const pending = await upTo(flow, '/callback');
    const stray = await send(method, [
      ['error', 'access_denied'],
      ['state', 'x'.repeat(43)],
    ]);
    expect([stray.status, errorCode(stray)]).toEqual([400, 'ERR_OIDC_TRANSACTION_UNKNOWN']);
    expect(await flow.browser.navigate(pending)).toMatchObject({ status: 200 });
  });

  it.each(['GET', 'POST'] as const)('%s signs nobody out', async (method) => {
    flow = await startFlow();
    await flow.signIn();
    const stray = await send(method, [['error', 'login_required']]);
    expect(errorCode(stray)).toBe('ERR_OIDC_OP_ERROR');
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });
});

describe('the text of the OP', () => {
  it.each(['form_post', 'query'] as const)(
    'by %s stands on no page, and is there for the application, cut short',
    async (responseMode) => {
      const seen: unknown[] = [];
      const lie = {
        responseMode,
        response: failing('access_denied', [
          ['error_description', `${markup}${'x'.repeat(600)}`],
          ['error_uri', `javascript:alert(1)//${markup}`],
        ]),
      };
      flow = await startFlow();
      flow.op.lie(lie);
      const page = await flow.signIn();
      expect(errorCode(page)).toBe('ERR_OIDC_ACCESS_DENIED');
      for (const part of ['onerror', 'javascript:', 'xxxx']) expect(page.text).not.toContain(part);
      const own = await startFlow({
        oidc: {
          onError: ({ error, res }) => {
            seen.push(error);
            res.status(403).end();
          },
        },
      });
      own.op.lie(lie);
      await own.signIn();
      await own.close();
      expect(seen).toEqual([
        expect.objectContaining({
          error: 'access_denied',
          error_description: `${markup}${'x'.repeat(600)}`.slice(0, 500),
          message: expect.not.stringContaining('onerror'),
        }),
      ]);
    },
  );
});
