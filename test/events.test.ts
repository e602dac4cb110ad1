import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type HybridFlowEvents, subscribe } from 'passport-oidc-hybrid';
import { type Flow, startFlow } from './support/flow.ts';

let flow: Flow;
let unsubscribe: (() => void)[] = [];
afterEach(async () => {
  for (const end of unsubscribe) end();
  unsubscribe = [];
  await flow.close();
});

const names = ['login', 'refusal', 'refresh', 'reuse', 'logout', 'error'] as const;

/** Everything that is told from now on, without the requests. */
function listen(): [name: string, event: Record<string, unknown>][] {
  const told: [string, Record<string, unknown>][] = [];
  unsubscribe = names.map((name) =>
    subscribe(name, (event: HybridFlowEvents[typeof name]) => {
      const { req, ...rest } = event as { req?: unknown };
      told.push([name, rest]);
    }),
  );
  return told;
}

const api = (): ReturnType<Flow['browser']['fetch']> => flow.browser.fetch(`${flow.baseUrl}/api/x`);
const leave = (): ReturnType<Flow['browser']['navigate']> =>
  flow.browser.navigate({ method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl });

describe('events', () => {
  it('tell a login, its refreshes and its logout by one id', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/billing', oidc.requireAuth({ audience: 'billing' }), (_req, res) => res.json({}));
      },
    });
    const told = listen();
    await flow.signIn();
    flow.clock.advance(4000);
    await api();
    await flow.browser.fetch(`${flow.baseUrl}/billing`);
    await leave();
    const login = { flow: 'oidc', sub: 'ada', loginId: expect.stringMatching(/^[\w-]{16}$/) };
    const refresh = { login, outcome: 'renewed', durationSeconds: expect.any(Number) };
    expect(told).toEqual([
      ['login', { login }],
      ['refresh', { ...refresh, target: {}, error: undefined }],
      ['refresh', { ...refresh, target: { audience: 'billing' }, error: undefined }],
      ['logout', { login, by: 'user' }],
    ]);
    const ids = told.map(([, event]) => (event['login'] as { loginId: string }).loginId);
    expect(new Set(ids).size).toBe(1);
  });

  it.each([
    [
      'in the first hop',
      { frontIdToken: { claims: { c_hash: 'wrong' } } },
      'ERR_OIDC_C_HASH_MISMATCH',
    ],
    [
      'in the second hop',
      { backIdToken: { claims: { nonce: 'other' } } },
      'ERR_OIDC_ID_TOKEN_NONCE',
    ],
  ])('tell a login that is refused %s', async (_where, lie, code) => {
    flow = await startFlow();
    const told = listen();
    flow.op.lie(lie);
    await flow.signIn();
    const error = expect.objectContaining({ code });
    expect(told).toEqual([
      ['refusal', { error }],
      ['error', { error }],
    ]);
  });

  it('tell an outage, and a dead grant that ends the login', async () => {
    flow = await startFlow();
    await flow.signIn();
    const told = listen();
    flow.clock.advance(4000);
    flow.op.lie({ refresh: { status: 503 } });
    await api();
    flow.op.honest();
    flow.op.revokeAll();
    await api();
    const login = expect.objectContaining({ sub: 'ada' });
    expect(told).toMatchObject([
      ['refresh', { outcome: 'unavailable', error: { code: 'ERR_OIDC_PROVIDER_UNAVAILABLE' } }],
      ['error', { error: { code: 'ERR_OIDC_PROVIDER_UNAVAILABLE' } }],
      ['refresh', { outcome: 'ended', error: { code: 'ERR_OIDC_GRANT_REFUSED' } }],
      ['logout', { login, by: 'op' }],
    ]);
  });

  it('tell a session that the application destroyed, and stop when nobody listens any more', async () => {
    flow = await startFlow({
      routes: (app) => {
        app.get('/destroy', (req, res) => req.session.destroy(() => res.json({})));
      },
    });
    const told = listen();
    await flow.signIn();
    await flow.browser.fetch(`${flow.baseUrl}/destroy`);
    expect(told.map(([name]) => name)).toEqual(['login', 'logout']);
    expect(told[1]?.[1]).toMatchObject({ by: 'application', login: { sub: 'ada' } });
    for (const end of unsubscribe) end();
    await flow.signIn();
    expect(told).toHaveLength(2);
  });

  it('hold no refresh token, also where the OP repeats it in its description', async () => {
    flow = await startFlow();
    await flow.signIn();
    const token = flow.op.handedOut.find((secret) => flow.op.isRefreshToken(secret)) ?? '';
    expect(token).not.toBe('');
    const error_description = `unknown token ${token}`;
    const body = JSON.stringify({ error: 'invalid_request', error_description });
    flow.op.lie({ refresh: { status: 400, body } });
    flow.clock.advance(4000);
    const told = listen();
    await api();
    expect(told.map(([name]) => name)).toEqual(['refresh', 'error']);
    expect(inspect(told, { depth: 20 })).not.toContain(token);
  });

  it('hold no token, code or secret', async () => {
    flow = await startFlow({ oidc: { responseType: 'code id_token token' } });
    const told = listen();
    await flow.signIn();
    flow.clock.advance(4000);
    await api();
    await leave();
    flow.op.lie({ backIdToken: { claims: { sub: 'eve' } } });
    await flow.signIn();
    expect(told.map(([name]) => name)).toEqual(['login', 'refresh', 'logout', 'refusal', 'error']);
    const text = JSON.stringify(
      told.map(([, event]) => ({ ...event, error: String(event['error']) })),
    );
    for (const secret of [flow.op.clientSecret, ...flow.op.handedOut]) {
      expect(text.includes(secret)).toBe(false);
    }
  });
});
