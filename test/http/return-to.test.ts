import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { requestedPath, safeReturnPath, safeTargetPath } from '../../lib/http/return-to.ts';
import { resolveOptions } from '../../lib/options/resolve-options.ts';

const options = resolveOptions({
  issuer: 'https://op.example',
  clientId: 'client',
  clientSecret: 'secret',
  baseUrl: 'https://app.example/shop',
  secret: 'x'.repeat(32),
});

describe('RFC 9700 4.11 return paths', () => {
  it.each([
    ['/', '/'],
    ['/orders?page=2#last', '/orders?page=2#last'],
    ['/shop/orders', '/shop/orders'],
    ['/a/../b', '/b'],
    ['/caf\u00e9', '/caf%C3%A9'],
    ['/login-help', '/login-help'],
    ['/?next=https://evil.example', '/?next=https://evil.example'],
    ['/@evil.example', '/@evil.example'],
    [`/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`],
    [`/a${'\u00e9'.repeat(341)}`, `/a${'%C3%A9'.repeat(341)}`],
  ])('accepts %s', (raw, expected) => {
    expect(safeReturnPath(raw, options)).toBe(expected);
  });

  it.each([
    undefined,
    null,
    42,
    ['/orders'],
    '',
    'orders',
    'https://app.example/orders',
    'https://evil.example',
    '//evil.example',
    '///evil.example',
    '//',
    '//[',
    '//app.example:444/orders',
    '/\\evil.example',
    '\\\\evil.example',
    '/orders\\..',
    '/\t/evil.example',
    '\t//evil.example',
    ' /orders',
    '/orders list',
    '/orders ',
    '/\u001f',
    '/\u007f',
    '/\n/evil.example',
    '/orders\r\nSet-Cookie: a=b',
    '/\u0000',
    '/.//evil.example',
    '/..//evil.example',
    '/%2e//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    '/login',
    '/LOGIN/',
    '/shop/login?x',
    '/logout',
    '/shop/logout/callback',
    '/callback?code=x',
    `/${'a'.repeat(2048)}`,
    `/${'\u00e9'.repeat(400)}`,
    `/aa${'\u00e9'.repeat(341)}`,
    // Short at last, and long to look at.
    `/${'a/../'.repeat(410)}`,
  ])('refuses %j', (raw) => {
    expect(safeReturnPath(raw, options)).toBeUndefined();
  });

  it('knows its own routes in any case, however the options write them', () => {
    const loud = { ...options, loginPath: '/SignIn' };
    expect(safeReturnPath('/signin', loud)).toBeUndefined();
    expect(safeReturnPath('/shop/SIGNIN/', loud)).toBeUndefined();
    expect(safeReturnPath('/signin2', loud)).toBe('/signin2');
  });

  it.each([
    ['/shop/orders', '/shop/orders'],
    ['/orders', '/shop/orders'],
    ['/shop', '/shop'],
    ['/shopping', '/shop/shopping'],
    ['/shopping/cart', '/shop/shopping/cart'],
    ['/cart/tea', '/shop/cart/tea'],
    ['/shop?a', '/shop?a'],
    ['//evil.example', '/shop//evil.example'],
  ])('knows %s, with or without the path of baseUrl, as %s', (originalUrl, expected) => {
    expect(requestedPath({ originalUrl } as Request, options)).toBe(expected);
  });
});

describe('Core 4 the page that another site names', () => {
  const atRoot = { ...options, basePath: '' };

  it.each([
    ['https://app.example', '/'],
    ['https://app.example?page=2', '/?page=2'],
    ['https://app.example/orders?page=2#last', '/orders?page=2#last'],
  ])('%s is %s', (raw, expected) => {
    expect(safeTargetPath(raw, atRoot)).toBe(expected);
  });

  it.each(['https://app.example.evil.example', 'https://app.example@evil.example/'])(
    '%s is none of ours',
    (raw) => {
      expect(safeTargetPath(raw, atRoot)).toBeUndefined();
    },
  );
});
