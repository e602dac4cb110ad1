import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { inProcessLock } from 'passport-oidc-hybrid';
import { type Flow, type FlowSetup, startFlow } from '../support/flow.ts';

let flow: Flow;
const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
afterEach(async () => {
  emitWarning.mockClear();
  await flow.close();
});

class SharedStore extends MemoryStore {}

describe('a store that processes can share', () => {
  it('without a lock is warned of, once, with the line to add', async () => {
    flow = await startFlow({ store: new SharedStore(), oidc: { lock: undefined } });
    await flow.signIn();
    await flow.browser.navigate(flow.baseUrl);
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringContaining('lock: redisLock(client)'),
        { type: 'OidcWarning', code: 'OIDC_NO_SHARED_LOCK' },
      ],
    ]);
  });

  it.each([
    ['with a lock', new SharedStore(), inProcessLock()],
    ['in memory', new MemoryStore(), undefined],
  ])('%s is not', async (_name, store, lock) => {
    flow = await startFlow({ store, oidc: { lock } });
    await flow.signIn();
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

describe('an OP whose discovery document speaks against the options', () => {
  it.each<[code: string, metadata: Record<string, unknown>, oidc: FlowSetup['oidc']]>([
    ['OIDC_RESPONSE_TYPE', { response_types_supported: ['code', 'id_token'] }, {}],
    ['OIDC_RESPONSE_MODE', { response_modes_supported: ['query'] }, { responseMode: 'form_post' }],
    ['OIDC_SIGNING_ALG', { id_token_signing_alg_values_supported: ['HS256'] }, {}],
    [
      'OIDC_AUTH_METHOD',
      { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
      { tokenEndpointAuthMethod: 'client_secret_post' },
    ],
    [
      'OIDC_AUTH_SIGNING_ALG',
      {
        token_endpoint_auth_methods_supported: ['client_secret_jwt'],
        token_endpoint_auth_signing_alg_values_supported: ['RS256'],
      },
      {
        tokenEndpointAuthMethod: 'client_secret_jwt',
        clientSecret: 'a secret of the client, of more than 32 bytes',
      },
    ],
    ['OIDC_PKCE', { code_challenge_methods_supported: ['plain'] }, {}],
    [
      'OIDC_BACKCHANNEL_LOGOUT',
      { backchannel_logout_supported: false },
      { backchannelLogout: true },
    ],
  ])('is warned of, once, with a cure: %s', async (code, metadata, oidc) => {
    flow = await startFlow(oidc === undefined ? {} : { oidc });
    flow.op.lie({ discovery: { json: (document) => ({ ...document, ...metadata }) } });
    await flow.oidc.ready();
    flow.clock.advance(3601);
    await flow.oidc.ready();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(flow.op.count('/.well-known/openid-configuration')).toBe(2);
    const said = [expect.stringMatching(/ Cure: .*\.$/), { type: 'OidcWarning', code }];
    expect(emitWarning.mock.calls).toEqual([said]);
  });

  it('is warned of where it leads to no key for ID Tokens', async () => {
    flow = await startFlow();
    flow.op.lie({ jwks: { json: () => ({ keys: [{ kty: 'oct', use: 'sig' }] }) } });
    await flow.oidc.ready();
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringContaining('no key that an ID Token'),
        { type: 'OidcWarning', code: 'OIDC_KEYS' },
      ],
    ]);
  });

  it('is not, where the two fit together, or the document leaves things out', async () => {
    flow = await startFlow();
    await flow.oidc.ready();
    const { issuer } = flow.op;
    const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];
    flow.op.lie({
      discovery: {
        json: (document) => ({
          issuer,
          ...Object.fromEntries(endpoints.map((name) => [name, document[name]])),
        }),
      },
    });
    flow.clock.advance(3601);
    await flow.oidc.ready();
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

describe('a clock that is wrong', () => {
  const answeredAt = (offset: number): Record<string, string> => ({
    date: new Date(Date.now() + offset * 1000).toUTCString(),
  });

  it.each([
    ['behind', 120],
    ['ahead of', -120],
  ])('by the OP, is warned of, once: %s it', async (side, offset) => {
    flow = await startFlow({ oidc: { now: undefined } });
    flow.op.lie({ discovery: { headers: answeredAt(offset) } });
    await flow.oidc.ready();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringMatching(
          new RegExp(`1[12]\\d seconds ${side} that of the OP\\. Cure: set it`),
        ),
        { type: 'OidcWarning', code: 'OIDC_CLOCK' },
      ],
    ]);
  });

  it.each([
    ['is right', 0, {}, undefined],
    ['is wrong by less than is tolerated', -120, {}, 300],
    ['is right, and the answer is from a cache', -120, { age: '120' }, undefined],
  ])('is not warned of where it %s', async (_what, offset, headers, clockToleranceSeconds) => {
    flow = await startFlow({ oidc: { now: undefined, clockToleranceSeconds } });
    flow.op.lie({ discovery: { headers: { ...answeredAt(offset), ...headers } } });
    await flow.oidc.ready();
    expect(emitWarning).not.toHaveBeenCalled();
  });

  it('is not looked for where the application brings a clock of its own', async () => {
    flow = await startFlow();
    flow.op.lie({ discovery: { headers: answeredAt(-120) } });
    await flow.oidc.ready();
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

describe('a session cookie without Secure, where baseUrl is https', () => {
  it('is warned of, once', async () => {
    flow = await startFlow({ oidc: { baseUrl: 'https://app.example' } });
    const url = flow.baseUrl;
    await flow.browser.fetch(`${url}/api/x`);
    await flow.browser.fetch(`${url}/api/x`);
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringContaining('trust proxy'),
        { type: 'OidcWarning', code: 'OIDC_INSECURE_COOKIE' },
      ],
    ]);
  });

  it.each([
    [undefined, 1],
    [{ sameSite: 'lax' }, 1],
    [{ secure: 'auto' }, 0],
    [{ secure: true }, 0],
  ] as const)('is warned of behind a proxy too: cookie %j', async (cookie, times) => {
    flow = await startFlow({
      oidc: { baseUrl: 'https://app.example' },
      session: { cookie },
      before: (app) => app.set('trust proxy', true),
    });
    for (const _ of [1, 2]) {
      await flow.browser.fetch(`${flow.baseUrl}/api/x`, {
        headers: { 'x-forwarded-proto': 'https' },
      });
    }
    const said = [
      expect.stringContaining("cookie: { secure: 'auto' }"),
      { type: 'OidcWarning', code: 'OIDC_INSECURE_COOKIE' },
    ];
    expect(emitWarning.mock.calls).toEqual(times === 1 ? [said] : []);
  });
});
