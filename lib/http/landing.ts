import type { Request, Response } from 'express';
import type { FlowParts } from './flow-parts.ts';
import { sendRedirect, sendRefresh } from './pages.ts';
import { pathOfCheck } from './session-check.ts';
import { hasStrictSession } from './session-request.ts';

/**
 * Sends the visitor on after a callback. A chain of redirects that began at the OP carries no Strict
 * cookie, so with such a session the last step is a page, whose refresh is a request of the
 * application's own.
 */
export function land(parts: FlowParts, req: Request, res: Response, returnTo: string): void {
  const url = parts.sessionChecks.isDue(req) ? pathOfCheck(parts, req, returnTo) : returnTo;
  if (hasStrictSession(req)) sendRefresh(res, url, 'Signing in', 'Continue');
  else sendRedirect(res, url);
}

/** Has the browser make a request of the application's own, with all cookies. */
export function lookAgain(res: Response, path: string): void {
  sendRefresh(res, path, 'Signing in', 'Continue');
}

/** {@link land} where somebody else is about to redirect: Passport, or the application after it. */
export function landByNextRedirect(parts: FlowParts, req: Request, res: Response): void {
  const { redirect } = res;
  const landInstead = (...statusAndUrl: readonly unknown[]): void => {
    res.redirect = redirect;
    // Now, and not before: whether the visitor is signed in is the application's to decide.
    if (!hasStrictSession(req) && !parts.sessionChecks.isDue(req)) {
      Reflect.apply(redirect, res, statusAndUrl);
      return;
    }
    land(parts, req, res, String(statusAndUrl.find((argument) => typeof argument === 'string')));
  };
  res.redirect = landInstead as Response['redirect'];
}
