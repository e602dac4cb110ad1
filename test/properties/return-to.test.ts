import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import fc from 'fast-check';
import { requestedPath, safeReturnPath, wantedReturnPath } from '../../lib/http/return-to.ts';
import { resolveOptions } from '../../lib/options/resolve-options.ts';

const options = resolveOptions({
  issuer: 'https://op.example',
  clientId: 'client',
  clientSecret: 'secret',
  baseUrl: 'https://app.example:8443/shop',
  secret: 'x'.repeat(32),
});
const { origin } = options;

/** What URLs are made of, put together in any order. */
const parts = [
  ...['/', '//', '\\', '.', '..', '?', '#', '@', ':', '&', '=', ';', '%', '*'],
  ...['%2f', '%5c', '%2e', '%00', '%0d%0a', '\t', '\r', '\n', ' ', '\u0000', '\u007f', '\u2028'],
  ...['evil.example', 'app.example', '8443', 'https:', 'javascript:', 'data:', 'shop', 'login'],
  ...['LOGOUT', 'callback', 'orders', '\u3002', '\uff0f', '\uff3c', '\ud800', '\u0430', '[', ']'],
];
const spelling = fc.oneof(
  fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((some) => some.join('')),
  fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((some) => `/${some.join('')}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: 'binary' }),
);
const runs = { numRuns: 3000 };

/** A path that no browser takes for another place, and that leads to no route of the flow. */
function expectOwnPath(path: string): void {
  expect(path).toMatch(/^\/(?![/\\])[\u0021-\u007e]*$/);
  expect(path).not.toContain('\\');
  // As a Location header, a link and a refresh are resolved.
  for (const page of [`${origin}/`, `${origin}/shop/callback?x`]) {
    const url = new URL(path, page);
    expect(url.origin).toBe(origin);
    expect(`${url.username}${url.password}`).toBe('');
    expect(url.pathname).not.toMatch(/^\/(shop\/)?(login|callback|logout|logout\/callback)\/*$/i);
  }
}

describe('RFC 9700 4.11 a return path', () => {
  it('is a path of this application, or none', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        const path = safeReturnPath(raw, options);
        if (path !== undefined) expectOwnPath(path);
      }),
      runs,
    );
  });

  it('that was accepted is accepted again, as it is', () => {
    fc.assert(
      fc.property(spelling, (raw) => {
        const path = safeReturnPath(raw, options);
        fc.pre(path !== undefined);
        expect(safeReturnPath(path, options)).toBe(path);
      }),
      { numRuns: 1000 },
    );
  });

  it('is never made of anything but text', () => {
    fc.assert(
      fc.property(fc.anything(), (raw) => {
        fc.pre(typeof raw !== 'string');
        expect(safeReturnPath(raw, options)).toBeUndefined();
      }),
    );
  });

  it('is there whatever stands in the query', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), spelling, (query, raw) => {
        const returnTo = new URLSearchParams({ return_to: raw }).toString();
        for (const url of [
          `/login?${query}`,
          `/login?${returnTo}`,
          `/login?${returnTo}&${query}`,
        ]) {
          expectOwnPath(wantedReturnPath({ url } as Request, options));
        }
      }),
      runs,
    );
  });

  it('of a guarded request is a path of this application, or none', () => {
    fc.assert(
      fc.property(spelling, (originalUrl) => {
        const path = requestedPath({ originalUrl } as Request, options);
        if (path !== undefined) expectOwnPath(path);
      }),
      runs,
    );
  });
});
