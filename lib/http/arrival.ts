import type { Request, Response } from 'express';
import type { ResolvedOptions } from '../options.ts';
import { hasArrivalMark, withArrivalMark } from './arrival-mark.ts';
import { readQuery } from './callback-parameters.ts';
import type { FlowParts } from './flow-parts.ts';
import { isNavigation } from './negotiation.ts';
import { sendRedirect, sendRefresh } from './pages.ts';
import { defaultReturnPath, safePath, visiblePath } from './return-to.ts';
import { hasStrictSession, leaveSessionAlone } from './session-request.ts';

/** Name of the query parameter that carries a sealed path to the callback. */
const arrivalParameter = 'oidc_arrival';

/**
 * Has the browser make a request once more that another site has led to, before a login begins there:
 * a Strict session cookie has stayed away from it, and who is signed in would be sent to the OP, who has
 * a cart would lose it. A page of our own leads to the callback, which no page of the application is
 * troubled with, and that back to the same URL: so these are requests of our own site, with all cookies.
 *
 * Only where the browser says that it was another site, which it does not say of the second request, nor of
 * one with the mark: so there is one such step, and not another.
 *
 * @returns whether the request has been answered
 */
export function comeAgain(parts: FlowParts, req: Request, res: Response): boolean {
  const { options, sealer, loginSessions } = parts;
  if (req.method !== 'GET' || !isNavigation(req) || !hasStrictSession(req)) return false;
  if (!isFromAnotherSite(req, options) || hasArrivalMark(req.originalUrl)) return false;
  if (loginSessions.visitorId(req) !== undefined) return false;
  const path = safePath(visiblePath(req, options), options);
  if (path === undefined) return false;
  // An empty session that the application has touched would take the place of the visitor's.
  leaveSessionAlone(req);
  const sealed = sealer.seal(path, purposeOf(options));
  const url = `${options.basePath}${options.callbackPath}?${arrivalParameter}=${sealed}`;
  sendRefresh(res, url, 'One moment', 'Continue');
  return true;
}

/**
 * Answers a visit of the callback by which the browser comes again.
 *
 * @returns whether it is one
 */
export async function answerArrival(
  parts: FlowParts,
  req: Request,
  res: Response,
): Promise<boolean> {
  const { options, sealer, loginSessions } = parts;
  const sealed = readQuery(req).find(([name]) => name === arrivalParameter)?.[1];
  if (sealed === undefined) return false;
  const path = sealer.open(String(sealed), purposeOf(options));
  // A browser that still names another site would be led here for ever.
  const isSettled = loginSessions.visitorId(req) !== undefined && !isFromAnotherSite(req, options);
  if (path === undefined) sendRedirect(res, defaultReturnPath(options));
  else sendRedirect(res, isSettled ? path : withArrivalMark(path));
  return true;
}

function purposeOf({ issuer, clientId }: ResolvedOptions): string {
  return JSON.stringify(['arrival', issuer, clientId]);
}

/**
 * By Fetch Metadata, else by a Referer; who sends neither is taken for somebody who has typed the
 * address. A program that follows links would not get beyond the page.
 */
function isFromAnotherSite(
  { headers }: Request,
  { origin }: Pick<ResolvedOptions, 'origin'>,
): boolean {
  const { 'sec-fetch-site': site, referer } = headers;
  if (site !== undefined) return site === 'cross-site';
  return referer !== undefined && !`${referer}/`.startsWith(`${origin}/`);
}
