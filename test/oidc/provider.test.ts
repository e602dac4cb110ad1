import { describe, expect, it } from '@jest/globals';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { startClock } from '../support/clock.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;

describe('Discovery 4 endpoints', () => {
  it.each(endpoints)('of an https issuer are https: %s', async (name) => {
    const op = opByFetch();
    op.metadata[name] = 'http://op.example/plain';
    await expect(createProvider(op.options).discovered()).rejects.toMatchObject({
      code: 'ERR_OIDC_METADATA',
      message: expect.stringContaining(`"${name}"`),
    });
    expect(op.requests).toHaveLength(1);
  });

  it.each(endpoints)('may be http where that was allowed: %s', async (name) => {
    const op = opByFetch({ dangerouslyAllowInsecureRequests: true });
    op.metadata[name] = 'http://op.example/plain';
    const provider = createProvider(op.options);
    const { metadata } = await provider.discovered();
    expect(metadata[name]).toBe('http://op.example/plain');
    const { accessToken } = await requestTokens(provider, 'refresh_token', { refresh_token: 'rt' });
    expect(accessToken).toBe('at');
  });

  it('may be http at an http issuer beyond loopback, where that was allowed', async () => {
    const op = opByFetch({
      issuer: 'http://op.example',
      dangerouslyAllowInsecureRequests: true,
    });
    await expect(createProvider(op.options).discovered()).resolves.toMatchObject({
      authorizationEndpoint: 'http://op.example/authorize',
    });
  });

  it.each(endpoints)('are http or https, and nothing else: %s', async (name) => {
    const op = opByFetch({ dangerouslyAllowInsecureRequests: true });
    for (const value of ['ftp://op.example/', 'javascript:alert(1)', 'no URL', 1, undefined]) {
      op.metadata[name] = value;
      await expect(createProvider(op.options).discovered()).rejects.toMatchObject({
        code: 'ERR_OIDC_METADATA',
      });
    }
  });
});

describe('a list in a discovery document', () => {
  const lists = [
    'response_types_supported',
    'response_modes_supported',
    'scopes_supported',
    'code_challenge_methods_supported',
    'id_token_signing_alg_values_supported',
    'userinfo_signing_alg_values_supported',
    'authorization_signing_alg_values_supported',
    'token_endpoint_auth_methods_supported',
  ];
  it.each(lists)('has to be one of names: %s', async (name) => {
    for (const value of ['code id_token', 5, {}, [1], [null], true]) {
      const op = opByFetch();
      op.metadata[name] = value;
      await expect(createProvider(op.options).discovered()).rejects.toMatchObject({
        code: 'ERR_OIDC_METADATA',
        message: `"${name}" of the discovery document must be a list of names`,
      });
    }
    for (const value of [undefined, ['code id_token', 'RS256', 'client_secret_basic']]) {
      const op = opByFetch();
      op.metadata[name] = value;
      const { metadata } = await createProvider(op.options).discovered();
      expect(metadata[name]).toEqual(value);
    }
  });

  it.each(lists)('is the same as absent where it is null: %s', async (name) => {
    const op = opByFetch();
    op.metadata[name] = null;
    const { metadata } = await createProvider(op.options).discovered();
    expect(metadata).not.toHaveProperty(name);
    expect(metadata.token_endpoint).toBe(op.metadata['token_endpoint']);
  });
});

describe('a discovery document that cannot be had', () => {
  const unreachable = (): Promise<Response> => Promise.reject(new TypeError('fetch failed'));
  it.each([
    ['ERR_OIDC_PROVIDER_UNREACHABLE', unreachable],
    ['ERR_OIDC_PROVIDER_RESPONSE', async () => new Response('no', { status: 404 })],
    ['ERR_OIDC_PROVIDER_UNAVAILABLE', async () => new Response('busy', { status: 503 })],
  ])('names the issuer that was asked: %s', async (code, fetch) => {
    const { options } = opByFetch({ issuer: 'https://misspelled.example/', fetch });
    await expect(createProvider(options).discovered()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('"https://misspelled.example/"'),
    });
  });
});

describe('metadata that is an hour old', () => {
  const asked = (op: ReturnType<typeof opByFetch>, path: string): number =>
    op.requests.filter(({ url }) => url.endsWith(path)).length;

  it('is fetched again, and the keys come from a new jwks_uri where it has moved', async () => {
    const clock = startClock();
    const op = opByFetch({ now: clock.now });
    const provider = createProvider(op.options);
    const before = await provider.discovered();
    op.metadata['jwks_uri'] = 'https://op.example/moved';
    clock.advance(3601);
    const fetched = new Promise<void>((resolve) => {
      op.keys = () => {
        resolve();
        return Response.json({ keys: [] });
      };
    });
    expect(await provider.discovered()).toBe(before);
    await fetched;
    while ((await provider.discovered()) === before) await new Promise(setImmediate);
    const after = await provider.discovered();
    expect(after.metadata.jwks_uri).toBe('https://op.example/moved');
    expect(after.keys).not.toBe(before.keys);
    expect([asked(op, '/jwks'), asked(op, '/moved')]).toEqual([1, 1]);
  });

  it('serves on with its keys where those of a new jwks_uri cannot be had', async () => {
    const clock = startClock();
    const op = opByFetch({ now: clock.now });
    const provider = createProvider(op.options);
    const before = await provider.discovered();
    op.metadata['jwks_uri'] = 'https://op.example/moved';
    clock.advance(3601);
    const failed = new Promise<void>((resolve) => {
      op.keys = () => {
        resolve();
        return new Response(null, { status: 503 });
      };
    });
    await provider.discovered();
    await failed;
    await new Promise(setImmediate);
    expect(await provider.discovered()).toBe(before);
  });

  it('keeps its keys where jwks_uri has stayed', async () => {
    const clock = startClock();
    const op = opByFetch({ now: clock.now });
    const provider = createProvider(op.options);
    const before = await provider.discovered();
    op.metadata['token_endpoint'] = 'https://op.example/new-token';
    clock.advance(3601);
    await provider.discovered();
    while ((await provider.discovered()) === before) await new Promise(setImmediate);
    const after = await provider.discovered();
    expect(after.metadata.token_endpoint).toBe('https://op.example/new-token');
    expect(after.keys).toBe(before.keys);
    expect(asked(op, '/jwks')).toBe(1);
  });
});
