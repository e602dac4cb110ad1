import { afterEach, describe, expect, it } from '@jest/globals';
import { subscribe } from 'passport-oidc-hybrid';
import { errorCode, json } from '../support/flow.ts';
import { startPingOneFlow } from '../support/pingone-flow.ts';
import type { PingOneOp } from '../support/pingone-op.ts';
import type { ProviderFlow } from '../support/provider-flow.ts';

let flow: ProviderFlow<PingOneOp>;
afterEach(() => flow.close());

const start = async (...setup: Parameters<typeof startPingOneFlow>): Promise<void> => {
  flow = await startPingOneFlow(...setup);
};
const visit = (path: string) => flow.browser.navigate(`${flow.baseUrl}${path}`);
const api = () => flow.browser.fetch(`${flow.baseUrl}/api/orders`);
const profile = async (): Promise<unknown[]> => {
  const arrival = await visit('/profile');
  return [arrival.status, errorCode(arrival)];
};

describe('pingOne(), with the stand-in', () => {
  const types = ['code', 'code id_token', 'code token', 'code id_token token'] as const;
  const ways = types.flatMap((type) =>
    (['form_post', 'fragment', ...(type === 'code' ? ['query' as const] : [])] as const).map(
      (mode) => [type, mode] as const,
    ),
  );

  it.each(ways)(
    '"%s" by %s: sign in, call the API, refresh, sign out',
    async (responseType, responseMode) => {
      await start({ responseType, responseMode });
      const arrival = await visit('/profile');
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/profile` });
      expect(json(arrival)).toMatchObject({
        sub: flow.op.users.ada,
        iss: flow.op.issuer,
        env: flow.op.environmentId,
      });
      expect(flow.op.issuer).toMatch(new RegExp(`/${flow.op.environmentId}/as$`));

      const first = await api();
      expect(json(first)).toMatchObject({ sub: flow.op.users.ada });
      flow.clock.advance(31);
      const second = await api();
      expect(json(second)['authorization']).not.toBe(json(first)['authorization']);
      expect(flow.op.grants).toEqual({ authorization_code: 1, refresh_token: 1, refused: 0 });

      const logout = { method: 'GET', url: `${flow.baseUrl}/logout`, from: flow.baseUrl } as const;
      const left = await flow.browser.navigate(logout);
      expect(left).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      const signoff = left.history.find(({ url }) => url.startsWith(`${flow.op.issuer}/signoff?`));
      expect(signoff?.url).toContain('id_token_hint=');
      expect((await api()).status).toBe(401);
    },
  );

  it.each(['get', 'post'] as const)('is asked by %s', async (authorizationRequestMethod) => {
    await start({ authorizationRequestMethod, responseType: 'code id_token token' });
    expect(await profile()).toEqual([200, undefined]);
    expect(flow.op.requests.map(({ method }) => method)[0]).toBe(
      authorizationRequestMethod.toUpperCase(),
    );
  });

  it('enforces PKCE, which every request has', async () => {
    await start();
    const away = await flow.browser.navigate(`${flow.baseUrl}/login`, () => true);
    const url = new URL(away.headers['location'] ?? '');
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    url.searchParams.delete('code_challenge');
    const refused = await flow.browser.navigate(url.href);
    expect(errorCode(refused)).toBe('ERR_OIDC_OP_ERROR');
    expect(await profile()).toEqual([200, undefined]);
  });
});

describe('parameters of the hybrid request', () => {
  it('acr_values: the sign-on policy that is asked for comes back', async () => {
    await start({ acrValues: 'Multi_Factor' });
    expect(json(await visit('/profile'))).toMatchObject({ acr: 'Multi_Factor' });
    expect(flow.op.asked()).toMatchObject({ acr_values: 'Multi_Factor' });
  });

  it('acr_values: another policy that serves is refused', async () => {
    await start({ acrValues: 'Multi_Factor' });
    flow.op.settings.policy = 'Single_Factor';
    expect(await profile()).toEqual([400, 'ERR_OIDC_ACR']);
    expect((await api()).status).toBe(401);
  });

  it('acr_values: a policy that the application does not have is refused by PingOne', async () => {
    await start({ acrValues: 'Made_Up' });
    expect(await profile()).toEqual([403, 'ERR_OIDC_OP_ERROR']);
  });

  it('acr_values of a route lead who signed in by less to a second login', async () => {
    await start({}, {}, { login: { acrValues: 'Multi_Factor' } });
    await visit('/profile');
    expect(json(await visit('/guarded'))).toMatchObject({ acr: 'Multi_Factor' });
    expect(flow.op.signIns.count).toBe(2);
    await visit('/guarded');
    expect(flow.op.signIns.count).toBe(2);
  });

  it('login_hint and nonce', async () => {
    await start({ authorizationParams: { login_hint: 'ada' } });
    const claims = json(await visit('/profile'));
    expect(flow.op.asked()).toMatchObject({ login_hint: 'ada', nonce: claims['nonce'] });
  });

  it('prompt: who has a session at PingOne is asked again', async () => {
    await start();
    await visit('/profile');
    await visit('/login?return_to=/profile');
    expect(flow.op.signIns.count).toBe(1);
    expect((await visit('/again?return_to=/profile')).url).toBe(`${flow.baseUrl}/profile`);
    expect(flow.op.signIns.count).toBe(2);
  });

  it('prompt: none is refused without a session at PingOne, and the login begins again with a prompt', async () => {
    await start({ authorizationParams: { prompt: 'none' } });
    const refusals: unknown[] = [];
    const end = subscribe('refusal', ({ error }) => refusals.push(error));
    expect(await profile()).toEqual([200, undefined]);
    end();
    expect(refusals).toMatchObject([{ error: 'login_required' }]);
    expect(flow.op.signIns.count).toBe(1);
  });

  it('max_age: comes back as auth_time, and one that is too old is refused', async () => {
    await start({ maxAge: 60 });
    const { auth_time } = json(await visit('/profile'));
    expect(auth_time).toEqual(expect.any(Number));
    expect(flow.op.asked()).toMatchObject({ max_age: '60' });
    flow.clock.advance(120);
    const refused = await visit('/login?return_to=/profile');
    expect(errorCode(refused)).toBe('ERR_OIDC_MAX_AGE');
  });

  it.each([
    ['the device', (op: PingOneOp) => op.mobilePayload, 200, undefined],
    ['something else', () => 'made-up', 403, 'ERR_OIDC_OP_ERROR'],
  ] as const)('mobilePayload of %s', async (_of, payload, status, code) => {
    await start((op) => ({ mobilePayload: payload(op) }));
    expect(await profile()).toEqual([status, code]);
    expect(flow.op.asked()).toMatchObject({ mobilePayload: payload(flow.op) });
  });
});
