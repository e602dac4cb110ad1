import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { PageError } from './error-pages.ts';

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses requests that change something unless the shop's own pages sent them (CSRF).
 *
 * No token in the form is needed: `Sec-Fetch-Site` is set by the browser, cannot be set by a page,
 * and every browser since 2023 sends it to https and to localhost. `SameSite=Lax` alone would leave
 * sibling subdomains, and here every other port of localhost, inside the fence. `Origin` is the
 * fallback for older browsers only: helmet's `Referrer-Policy: no-referrer` turns it into "null" on
 * the shop's own forms. Something that sends neither is no browser and carries no visitor's cookie.
 *
 * Mounted after `oidc.router()`, because the OP's form_post to `/callback` is cross-site by nature;
 * that route has `state` and a transaction cookie to tell a true answer from a forged one.
 */
export function requireSameOrigin(baseUrl: string): RequestHandler {
  const { origin } = new URL(baseUrl);
  return function sameOrigin(req: Request, _res: Response, next: NextFunction): void {
    const site = req.get('sec-fetch-site');
    const isOurs = site === undefined ? req.get('origin') === origin : site === 'same-origin';
    const isSafe = safeMethods.includes(req.method);
    next(
      isSafe || isOurs ? undefined : new PageError(403, 'The request did not come from this site.'),
    );
  };
}
