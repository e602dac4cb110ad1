import type { Request, Response } from 'express';
import { publish } from '../events.ts';
import type { ResolvedOptions } from '../options.ts';
import { hasArrivalMark, withArrivalMark, withoutArrivalMark } from './arrival-mark.ts';
import { readQuery } from './callback-parameters.ts';
import type { FlowParts } from './flow-parts.ts';
import { lostAtPage, type SentCookie, toldCookies } from './lost-session.ts';
import { isNavigation } from './negotiation.ts';
import { sendRedirect, sendRefresh } from './pages.ts';
import { defaultReturnPath, safeArrivalPath, visiblePath } from './return-to.ts';
import { hasStrictSession, leaveSessionAlone } from './session-request.ts';

/** Name of the query parameter that carries a sealed {@link Arrival} to the callback. */
const arrivalParameter = 'oidc_arrival';

/** A request that has come without a session, and is to come again. */
interface Arrival {
  /**
   * `withheld`: the cookie is Strict, and another site has led here. `lost`: a login has just been completed,
   * and its session was seen at the callback.
   */
  readonly why: 'withheld' | 'lost';
  readonly path: string;
  /** What came with the request, where the session is lost: the URL has to get through. */
  readonly sent: readonly SentCookie[];
}

/**
 * Has the browser make a request once more by way of the callback, before a login begins there.
 *
 * A Strict session cookie has stayed away from what another site has led to: who is signed in would be
 * sent to the OP, and who has a cart would lose it. A page of our own leads to the callback, which no page of the
 * application is troubled with, and that back to the same URL: these are requests of our own site, with all
 * cookies.
 *
 * Where the session of a login that was just completed does not come to the page, the callback sees whether it has
 * ended, or is there and gets lost on the way to the page.
 *
 * It comes again once: with the mark, or as a request that is not another site's.
 *
 * @returns whether the request has been answered
 */
export function comeAgain(parts: FlowParts, req: Request, res: Response): boolean {
  if (req.method !== 'GET' || !isNavigation(req) || hasArrivalMark(req.originalUrl)) return false;
  const why = reasonToComeAgain(parts, req);
  const path = safeArrivalPath(visiblePath(req, parts.options), parts.options);
  if (why === undefined || path === undefined) return false;
  const sent = why === 'lost' ? toldCookies(req) : [];
  const url = arrivalPath(parts, { why, path, sent });
  // An empty session that the application has touched would take the place of the visitor's.
  leaveSessionAlone(req);
  if (why === 'withheld') sendRefresh(res, url, 'One moment', 'Continue');
  else sendRedirect(res, url);
  return true;
}

/** Whether a request has come once more by the callback. A link of another site may have the mark as well. */
export function hasComeAgain(req: Request, options: Pick<ResolvedOptions, 'origin'>): boolean {
  return hasArrivalMark(req.originalUrl) && siteBefore(req, options) !== 'another';
}

function reasonToComeAgain(
  { options, loginSessions, sessionChecks }: FlowParts,
  req: Request,
): Arrival['why'] | undefined {
  const isStrict = hasStrictSession(req);
  const isExpected = sessionChecks.isExpected(req);
  if (!(isStrict || isExpected) || loginSessions.visitorId(req) !== undefined) return undefined;
  const site = siteBefore(req, options);
  if (isStrict && site === 'another') return 'withheld';
  if (!isExpected) return undefined;
  return isStrict && site === 'unknown' ? 'withheld' : 'lost';
}

/** Path of the callback by which a request comes again. */
function arrivalPath({ options, sealer }: FlowParts, arrival: Arrival): string {
  const sealed = sealer.seal(JSON.stringify(arrival), purposeOf(options));
  return `${options.basePath}${options.callbackPath}?${arrivalParameter}=${sealed}`;
}

/**
 * Answers a visit of the callback by which the browser comes again.
 *
 * @returns whether it is one
 * @throws {@link SessionLostError} where the session is there, and was not at the page
 */
export async function answerArrival(
  parts: FlowParts,
  req: Request,
  res: Response,
): Promise<boolean> {
  const { options, sealer, loginSessions, sessionChecks } = parts;
  const sealed = readQuery(req).find(([name]) => name === arrivalParameter)?.[1];
  if (sealed === undefined) return false;
  const text = sealer.open(String(sealed), purposeOf(options));
  if (text === undefined) {
    sendRedirect(res, defaultReturnPath(options));
    return true;
  }
  const { why, path, sent } = JSON.parse(text) as Arrival;
  const isExpected = sessionChecks.isExpected(req);
  const login = await loginSessions.current(req);
  const isOfNote = login !== undefined && sessionChecks.isExpectedOf(req, login.place.sessionId);
  if (isOfNote && why === 'lost') {
    sessionChecks.forget(req, res);
    res.locals['oidcReturnTo'] = withoutArrivalMark(path);
    const error = lostAtPage(req, sent);
    publish('refusal', { error, req });
    throw error;
  }
  if (!isOfNote) sessionChecks.expectNoMore(req, res);
  const isVisitor = loginSessions.visitorId(req) !== undefined;
  // A browser that still names another site, or a page that still gets no session, would come here for ever.
  const isSettled = isVisitor && !isExpected && siteBefore(req, options) !== 'another';
  sendRedirect(res, isSettled ? path : withArrivalMark(path));
  return true;
}

function purposeOf({ issuer, clientId }: ResolvedOptions): string {
  return JSON.stringify(['arrival', issuer, clientId]);
}

/**
 * Which site has led here: by Fetch Metadata, else by a Referer. Who sends neither is not led by a page, as far
 * as anybody knows: a program that follows links would not get beyond the page.
 */
function siteBefore(
  { headers }: Request,
  { origin }: Pick<ResolvedOptions, 'origin'>,
): 'own' | 'another' | 'unknown' {
  const { 'sec-fetch-site': site, referer } = headers;
  if (site !== undefined) return site === 'cross-site' ? 'another' : 'own';
  if (referer === undefined) return 'unknown';
  return `${referer}/`.startsWith(`${origin}/`) ? 'own' : 'another';
}
