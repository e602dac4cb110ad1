import { parse } from 'cookie';
import type { Request } from 'express';
import { SessionLostError } from '../errors.ts';
import { shortDigest } from '../oidc/transaction.ts';
import type { SessionRequest } from './session-request.ts';

/** A cookie of a request; with a digest of the session's id, where it may be one of express-session. */
export type SentCookie = readonly [name: string, session?: string];

/** Beyond so many, or with longer names, cookies are not told of: they travel in a URL. */
const [maxTold, maxNameLength] = [20, 60];

/** Recognizes a session, and is no id of one. */
export function sessionDigest(sessionId: string): string {
  return shortDigest(sessionId, 16);
}

/** The cookies of a request, those of the same name too. */
export function sentCookies({ headers }: Request): SentCookie[] {
  return (headers.cookie ?? '').split(';').flatMap((pair) =>
    Object.entries(parse(pair)).map(([name, value]): SentCookie => {
      const id = /^s:(.+)\.[^.]+$/.exec(value ?? '')?.[1];
      return id === undefined ? [name] : [name, sessionDigest(id)];
    }),
  );
}

/** {@link sentCookies} that may have to do with a session, as many as a URL has room for. */
export function toldCookies(req: Request): SentCookie[] {
  return sentCookies(req)
    .filter(([name]) => name.length <= maxNameLength)
    .slice(0, maxTold);
}

/** What has become of the cookie of a session among those that were sent. */
function fateOf(
  sent: readonly SentCookie[],
  session: string,
  name: string | undefined,
): { readonly name: string | undefined; readonly fate: 'came' | 'hidden' | 'missing' } {
  const came = sent.find(([, digest]) => digest === session);
  const itsName = came?.[0] ?? name;
  const first = sent.find(([other]) => other === itsName);
  if (came !== undefined && came === first) return { name: itsName, fate: 'came' };
  return { name: itsName, fate: first === undefined ? 'missing' : 'hidden' };
}

/**
 * Whether a cookie of the session has come, and the session that it names may have been replaced just now by a login
 * in another tab, whose cookie is still on its way to the browser.
 */
export function mayBeReplaced(
  req: Request,
  session: string,
  cookieName: string | undefined,
): boolean {
  const isThere = sessionDigest((req as SessionRequest).sessionID) === session;
  return !isThere && fateOf(sentCookies(req), session, cookieName).fate !== 'missing';
}

/** The session of a new login did not come back to the callback, to which this request is. */
export function lostAtCallback(
  req: Request,
  session: string,
  cookieName: string | undefined,
  origin: string,
): SessionLostError {
  const { name, fate } = fateOf(sentCookies(req), session, cookieName);
  const isThere = sessionDigest((req as SessionRequest).sessionID) === session;
  const reasons = {
    came: isThere
      ? 'it came back, and its session is there without the login: its entry in the store is missing'
      : "it came back, and the store has no such session: processes that share no store (MemoryStore is one process's own), or that have different secrets of express-session, or a store that loses what it gets",
    hidden:
      'the browser sent an older cookie of that name, which hides or outlived the new one: of another path or domain, or one that an answer later than that of the login has set',
    missing: `the browser did not send it back: ${origin} may not set such a cookie (its domain or path, Secure on http, a name that begins with __Host- or __Secure-), or something in between takes it away`,
  };
  return new SessionLostError(reasons[fate], name);
}

/**
 * This request to the callback has its session, and the page that the login led to had not.
 *
 * @param sent what came to the page; `undefined` where not even a cookie of this library did
 */
export function lostAtPage(
  req: Request,
  sent: readonly SentCookie[] | undefined,
): SessionLostError {
  const session = sessionDigest((req as SessionRequest).sessionID);
  const own = fateOf(sentCookies(req), session, undefined).name;
  const reasons = {
    came: "it came back to the callback and to the page, and the page does not know its session: it is served by processes with another store (MemoryStore is one process's own), or with another secret of express-session",
    hidden:
      'it came back to the callback, and not to the page: an older cookie of the same name hides it there, of the path of that page',
    missing:
      'it came back to the callback, and not to the page: its path is not that of the page, or something in between takes it away there',
  };
  const none =
    'it came back to the callback, and no cookie came to the page: something in between takes them away there';
  return new SessionLostError(
    sent === undefined ? none : reasons[fateOf(sent, session, own).fate],
    own,
  );
}
