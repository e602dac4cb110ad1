import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type HybridFlowOptions, hybridFlow, OptionsError } from 'passport-oidc-hybrid';
import { resolveOptions } from '../lib/options/resolve-options.ts';
import { defaultOptions } from '../lib/options.ts';

const good: HybridFlowOptions = {
  issuer: 'https://op.example',
  clientId: 'client',
  clientSecret: 'a client secret that no message may show',
  baseUrl: 'https://app.example',
  secret: 'a sealing secret that no message may show',
};

function refusal(change: Record<string, unknown>): OptionsError {
  try {
    hybridFlow({ ...good, ...change } as unknown as HybridFlowOptions);
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error('the options were accepted');
}

describe('options', () => {
  it('accepts the five that are required', () => {
    expect(() => hybridFlow(good)).not.toThrow();
  });

  it.each([
    ['issuer', { issuer: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['clientId', { clientId: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['clientSecret', { clientSecret: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['baseUrl', { baseUrl: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['secret', { secret: undefined }, 'ERR_OIDC_OPTION_MISSING'],
    ['secret', { secret: [] }, 'ERR_OIDC_OPTION_MISSING'],
    ['secret', { secret: 'too short' }, 'ERR_OIDC_OPTION_INVALID'],
    ['secret', { secret: [good.secret, 42] }, 'ERR_OIDC_OPTION_INVALID'],
    ['clientSecret', { clientSecret: '' }, 'ERR_OIDC_OPTION_INVALID'],
    ['issuer', { issuer: 'op.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['issuer', { issuer: 'http://op.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['issuer', { issuer: 'https://user:password@op.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['baseUrl', { baseUrl: 'http://app.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['baseUrl', { baseUrl: 'https://app.example/?a=b' }, 'ERR_OIDC_OPTION_INVALID'],
    ['responseType', { responseType: 'id_token' }, 'ERR_OIDC_OPTION_INVALID'],
    ['responseMode', { responseMode: 'query' }, 'ERR_OIDC_OPTION_INVALID'],
    ['responseMode', { responseMode: 'body' }, 'ERR_OIDC_OPTION_INVALID'],
    ['scope', { scope: 'profile email' }, 'ERR_OIDC_OPTION_INVALID'],
    ['maxAge', { maxAge: -1 }, 'ERR_OIDC_OPTION_INVALID'],
    ['resource', { resource: 'api' }, 'ERR_OIDC_OPTION_INVALID'],
    ['resource', { resource: ['https://a.example', 7] }, 'ERR_OIDC_OPTION_INVALID'],
    ['endSessionParams', { endSessionParams: { a: 1 } }, 'ERR_OIDC_OPTION_INVALID'],
    ['idleLifetimeSeconds', { idleLifetimeSeconds: 59 }, 'ERR_OIDC_OPTION_INVALID'],
    ['httpTimeoutSeconds', { httpTimeoutSeconds: 61 }, 'ERR_OIDC_OPTION_INVALID'],
    ['indexSessions', { backchannelLogout: true, indexSessions: false }, 'ERR_OIDC_OPTION_INVALID'],
    ['maxAge', { maxAge: '60' }, 'ERR_OIDC_OPTION_INVALID'],
    ['loginPath', { loginPath: 'login' }, 'ERR_OIDC_OPTION_INVALID'],
    ['loginPath', { loginPath: '/login/:id' }, 'ERR_OIDC_OPTION_INVALID'],
    ['callbackPath', { callbackPath: '/login' }, 'ERR_OIDC_OPTION_INVALID'],
    ['sessionKey', { sessionKey: 'cookie' }, 'ERR_OIDC_OPTION_INVALID'],
    ['tokenEndpointAuthMethod', { tokenEndpointAuthMethod: 'basic' }, 'ERR_OIDC_OPTION_INVALID'],
    ['idTokenSignedResponseAlg', { idTokenSignedResponseAlg: 'none' }, 'ERR_OIDC_OPTION_INVALID'],
    ['idTokenSignedResponseAlg', { idTokenSignedResponseAlg: 'HS256' }, 'ERR_OIDC_OPTION_INVALID'],
    ['verify', { verify: 'yes' }, 'ERR_OIDC_OPTION_INVALID'],
    ['lock', { lock: 'redis' }, 'ERR_OIDC_OPTION_INVALID'],
    ['trustedOrigins', { trustedOrigins: 'https://a.example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['trustedOrigins', { trustedOrigins: ['https://a.example/'] }, 'ERR_OIDC_OPTION_INVALID'],
    ['carryOver', { carryOver: 'basket' }, 'ERR_OIDC_OPTION_INVALID'],
    ['carryOver', { carryOver: ['basket', 1] }, 'ERR_OIDC_OPTION_INVALID'],
    [
      'authorizationRequestMethod',
      { authorizationRequestMethod: 'POST' },
      'ERR_OIDC_OPTION_INVALID',
    ],
    ['transactionCookie', { transactionCookie: 'tx' }, 'ERR_OIDC_OPTION_INVALID'],
    ['transactionCookie', { transactionCookie: null }, 'ERR_OIDC_OPTION_INVALID'],
    ['maxAge', { maxAge: null }, 'ERR_OIDC_OPTION_INVALID'],
    ['authorizationParams', { authorizationParams: ['a'] }, 'ERR_OIDC_OPTION_INVALID'],
    ['loginParams', { loginParams: 'ui_locales' }, 'ERR_OIDC_OPTION_INVALID'],
    ['loginParams', { loginParams: ['ui_locales', 'scope'] }, 'ERR_OIDC_OPTION_INVALID'],
    ['clientId', { clientId: ' client\n' }, 'ERR_OIDC_OPTION_INVALID'],
    ['baseUrl', { baseUrl: 'https://user:password@ example' }, 'ERR_OIDC_OPTION_INVALID'],
    ['callbackBodyLimitBytes', { callbackBodyLimitBytes: 10 }, 'ERR_OIDC_OPTION_INVALID'],
    [
      'dangerouslyAllowInsecureRequests',
      { dangerouslyAllowInsecureRequests: 'yes' },
      'ERR_OIDC_OPTION_INVALID',
    ],
    ['clientID', { clientID: 'client' }, 'ERR_OIDC_OPTION_UNKNOWN'],
  ])('names %s when it is wrong: %j', (option, change, code) => {
    const error = refusal(change);
    expect(error).toMatchObject({ option, code, status: 500 });
    expect(error.message).toContain(`"${option}"`);
    expect(error.message).not.toMatch(/no message may show|password@/);
  });

  it.each([
    ['name', '__Host-mine', {}],
    ['name', '__Secure-mine', {}],
    ['name', 'a b', {}],
    ['name', '', {}],
    ['path', 'shop', {}],
    ['path', '/callback', {}],
    ['path', '/shop/eu', { baseUrl: 'https://app.example/shop' }],
    ['path', '/sho', { baseUrl: 'https://app.example/shop' }],
    ['path', '/; Domain=evil.example', {}],
    ['domain', 'evil.example', {}],
    ['domain', 'pp.example', {}],
    ['domain', '.app.example', {}],
    ['domain', 'www.app.example', {}],
    ['domain', 'example', {}],
    ['domain', 'App.example', {}],
    ['domain', 'localhost', { baseUrl: 'http://localhost:3000' }],
    ['domain', '127.0.0.1', { baseUrl: 'http://127.0.0.1:3000' }],
  ])('refuses the %s %j of its cookies', (key, value, change) => {
    const error = refusal({ ...change, transactionCookie: { [key]: value } });
    expect(error).toMatchObject({
      code: 'ERR_OIDC_OPTION_INVALID',
      option: `transactionCookie.${key}`,
    });
  });

  it.each(['sameSite', 'secure', 'httpOnly', 'maxAge'])(
    'has no option for the %s of its cookies',
    (key) => {
      expect(refusal({ transactionCookie: { [key]: 'none' } })).toMatchObject({
        code: 'ERR_OIDC_OPTION_UNKNOWN',
        option: `transactionCookie.${key}`,
      });
    },
  );

  it('suggests the name that was meant', () => {
    expect(refusal({ clientID: 'client' }).message).toContain('did you mean "clientId"?');
    expect(refusal({ baseURL: 'https://app.example' }).message).toContain('"baseUrl"');
    expect(refusal({ zzzzzzzzzz: 1 }).message).not.toContain('did you mean');
  });

  it.each(['state', 'nonce', 'redirect_uri', 'response_type', 'code_challenge', 'request'])(
    'refuses the reserved parameter %s',
    (name) => {
      expect(refusal({ authorizationParams: { [name]: 'x' } })).toMatchObject({
        code: 'ERR_OIDC_OPTION_INVALID',
        option: `authorizationParams.${name}`,
      });
    },
  );

  it.each(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])(
    'takes plain http on loopback: %s',
    (baseUrl) => {
      expect(resolveOptions({ ...good, baseUrl }).isSecure).toBe(false);
    },
  );

  it('takes plain http elsewhere only when told in so many words', () => {
    const options = {
      ...good,
      baseUrl: 'http://app.example',
      dangerouslyAllowInsecureRequests: true,
    };
    expect(resolveOptions(options).baseUrl).toBe('http://app.example');
  });

  it('treats undefined as absent', () => {
    const undefinedOptions = Object.fromEntries(
      Object.keys(defaultOptions).map((name) => [name, undefined]),
    );
    expect(resolveOptions({ ...good, ...undefinedOptions, now: Date.now, fetch })).toEqual(
      resolveOptions({ ...good, now: Date.now, fetch }),
    );
  });

  it('makes the redirect URIs of a base URL with a path', () => {
    expect(resolveOptions({ ...good, baseUrl: 'https://app.example/shop/' })).toMatchObject({
      redirectUri: 'https://app.example/shop/callback',
      postLogoutRedirectUri: 'https://app.example/shop/logout/callback',
      basePath: '/shop',
      origin: 'https://app.example',
    });
  });

  it('chooses the response mode that fits the response type', () => {
    const mode = (change: Partial<HybridFlowOptions>): unknown =>
      resolveOptions({ ...good, ...change } as HybridFlowOptions).responseMode;
    expect(mode({})).toBeUndefined();
    expect(mode({ responseMode: 'fragment' })).toBe('fragment');
    expect(mode({ responseType: 'code' })).toBe('query');
    expect(mode({ responseType: 'code', responseMode: 'form_post' })).toBe('form_post');
  });

  it('leaves the caller their object, and freezes its own', () => {
    const options = Object.freeze({ ...good });
    expect(Object.isFrozen(resolveOptions(options))).toBe(true);
  });

  it('has in docs/options.md the defaults of the code', () => {
    const page = readFileSync(new URL('../docs/options.md', import.meta.url), 'utf8');
    for (const [name, value] of Object.entries(defaultOptions)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      expect(`${name}: ${row}`).toContain(`| \`${value}\` |`);
    }
  });

  it('has a row for each option in docs/options.md, and in the README the same rows', () => {
    const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
    const source = read('../lib/options.ts');
    const [, credentials = ''] = source.split('export type ClientCredentials =');
    const [, common = ''] = source.split(/export interface CommonOptions<.*> {/);
    const names = [credentials, common]
      .map((text) => text.split(/^}|^export/m)[0] ?? '')
      .flatMap((text) => [...text.matchAll(/^ {2,6}(\w+)\??: /gm)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(30);
    const [all = ''] = read('../docs/options.md').split('\n## ');
    const rows = all.split('\n').filter((line) => line.startsWith('| `'));
    const listed = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)]);
    expect(listed.map(([, name]) => name).sort()).toEqual([...new Set(names)].sort());
    const [, readme = ''] = read('../README.md').split('## Options');
    const [table = ''] = readme.split('\n## ');
    const shown = table.split('\n').filter((line) => line.startsWith('| `'));
    expect(shown.length).toBeGreaterThan(8);
    expect(rows).toEqual(expect.arrayContaining(shown));
  });

  it('has in its doc comments the defaults of the code', () => {
    const source = readFileSync(new URL('../lib/options.ts', import.meta.url), 'utf8');
    for (const [name, value] of Object.entries(defaultOptions)) {
      const comment = source.split(`\n  ${name}?: `)[0]?.split('/**').at(-1) ?? '';
      const text = typeof value === 'string' ? `'${value}'` : String(value);
      expect(`${name}: ${comment}`).toContain(`@default ${text}`);
    }
  });
});
