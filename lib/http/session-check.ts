import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import { SessionLostError, ValidationError } from '../errors.ts';
import { publish } from '../events.ts';
import type { Transaction } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { readQuery } from './callback-parameters.ts';
import { callbackCookies, flowCookies } from './flow-cookies.ts';
import type { FlowParts } from './flow-parts.ts';
import { lostAtCallback, lostAtPage, mayBeReplaced, sessionDigest } from './lost-session.ts';
import { sendRedirect, sendRefresh } from './pages.ts';
import { defaultReturnPath } from './return-to.ts';
import type { SessionRequest } from './session-request.ts';

/** Name of the query parameter that carries a sealed {@link Check}. */
const checkParameter = 'oidc_session_check';

/** Seconds that the browser may take from one check to the next, and from the last one to the page. */
const checkSeconds = 60;

/**
 * Checks in a row: where processes do not share their sessions, one of two finds the session of the
 * other half of the time.
 */
const checksInRow = 3;

/** Seconds after which the cookie of a login in another tab has come to the browser. */
const waitSeconds = 1;

/**
 * Logins in a row that are checked and found in order, with no page in between that was signed in. It is for an
 * application that throws each of them away: where a cookie gets lost, that has been noticed before.
 */
const maxInRow = 5;

/** In a row is a login that begins so soon after the checks of the one before: nobody signs out and in that fast. */
const secondsInRow = 5;

/**
 * Sign-ins whose session does not come back. A guard would send such a visitor to the OP again, whose
 * session there answers at once, for ever. So the browser remembers a sign-in, in a cookie that goes to
 * the callback only. A login that was begun after it, and without its session, ends with a few
 * redirects in which the new session has to come back, and leaves a note for the page: where a login is about to
 * begin with this note and without a session, the callback is asked first whether it has the session.
 */
export interface SessionChecks {
  /**
   * Whether this login began without the session of the one before and without the note of that, which is here:
   * to decide what became of it, a Strict session has to be here as well.
   */
  isInDoubt(req: Request, transaction: Transaction): boolean;
  /**
   * Decides whether this login is to be followed by checks.
   *
   * @param session that of the request, if it is signed in
   * @throws {@link SessionLostError} for the last of a row of logins
   */
  prepare(req: Request, res: Response, transaction: Transaction, session?: string): void;
  /**
   * Whether this request has signed in, and checks are to follow. No longer, once the application has
   * ended that login by itself.
   */
  isDue(req: Request): boolean;
  /** Remembers in the browser that this request has signed it in. */
  remember(req: Request, res: Response): void;
  /**
   * Leaves the note for the page. Counts the time from here: the checks have taken some of it, and more in
   * a slow network.
   */
  expectAtPage(req: Request, res: Response): void;
  /** Whether there is the note: its session has been seen at the callback, and has to come to pages as well. */
  isExpected(req: Request): boolean;
  /** Whether the note is of this session. Of another it is where a login in another tab has replaced that meanwhile. */
  isExpectedOf(req: Request, sessionId: string): boolean;
  /** Ends the row: a page has got the session. Does nothing without the note. */
  found(req: Request, res: Response): void;
  /** Takes the note away: the session has ended, or a login begins that is none of the row. */
  expectNoMore(req: Request, res: Response): void;
  /** Forgets the sign-in, at a logout, and where another login has taken its place. */
  forget(req: Request, res: Response): void;
  /** Name of the session cookie; express-session tells nobody, so it is known after a login only. */
  cookieName(): string | undefined;
}

/** The last sign-in of a browser. */
type SignIn = [epochMilliseconds: number, inRow: number, sessionDigest: string];

/** What the URL of a check holds. */
type Check = [
  expiresAt: number,
  left: number,
  sessionDigest: string,
  url: string,
  /** Whether a session did not come already, and the checks have begun once more. */
  isAgain: boolean,
];

export function createSessionChecks(options: ResolvedOptions, sealer: Sealer): SessionChecks {
  const ofCallback = callbackCookies(options);
  const ofPages = flowCookies(options);
  const name = `${ofCallback.prefix}last`;
  const noteName = `${ofPages.prefix}check`;
  /** Logins without the session of the one before, and how many there were in a row. */
  const rows = new WeakMap<Request, number>();
  /** Ids of the sessions that requests have signed in with. */
  const signedIn = new WeakMap<Request, string>();
  let sessionCookie: string | undefined;

  const maxAge = options.transactionTtlSeconds;
  const purpose = JSON.stringify(['last sign-in', options.issuer, options.clientId]);
  // Sealed: other applications on this host, and on hosts beside it, can set a cookie of this name.
  const read = ({ headers }: Request): SignIn | undefined => {
    const text = sealer.open(parse(headers.cookie ?? '')[name] ?? '', purpose);
    const signIn = text === undefined ? undefined : (JSON.parse(text) as SignIn);
    return signIn && options.now() - signIn[0] <= maxAge * 1000 ? signIn : undefined;
  };
  const write = (res: Response, inRow: number, session: string): void => {
    const signIn: SignIn = [options.now(), inRow, session];
    const value = sealer.seal(JSON.stringify(signIn), purpose);
    res.append('Set-Cookie', serialize(name, value, { ...ofCallback.attributes, maxAge }));
  };

  /** The sign-in before this login, if it began without the session of that. */
  const lostBefore = (
    req: Request,
    { startedAt, sessionId = '' }: Transaction,
  ): SignIn | undefined => {
    const before = read(req);
    // No later: a tab that was open already. With its session: a second login on top of it.
    const isLost =
      before !== undefined && startedAt > before[0] && before[2] !== sessionDigest(sessionId);
    return isLost ? before : undefined;
  };
  const isExpected: SessionChecks['isExpected'] = ({ headers }) =>
    headers.cookie?.includes(`${noteName}=`) === true;
  // Not by its value alone: whoever planted another one in front of it would hide it.
  const isExpectedOf: SessionChecks['isExpectedOf'] = ({ headers }, sessionId) =>
    headers.cookie?.includes(`${noteName}=${sessionDigest(sessionId)}`) === true;
  const expectNoMore: SessionChecks['expectNoMore'] = (req, res) => {
    if (!isExpected(req)) return;
    res.append('Set-Cookie', serialize(noteName, '', { ...ofPages.attributes, maxAge: 0 }));
  };
  const forget: SessionChecks['forget'] = (req, res) => {
    res.append('Set-Cookie', serialize(name, '', { ...ofCallback.attributes, maxAge: 0 }));
    expectNoMore(req, res);
  };

  return {
    isInDoubt: (req, transaction) =>
      (lostBefore(req, transaction)?.[1] ?? 0) > 1 && isExpected(req),
    prepare(req, res, transaction, session) {
      const before = lostBefore(req, transaction);
      if (before === undefined) return;
      const [signedInAt, inRow, digest] = before;
      // A page that had got the note would not have begun this login.
      if (
        inRow > 1 &&
        session !== undefined &&
        isExpectedOf(req, session) &&
        sessionDigest(session) === digest
      ) {
        forget(req, res);
        throw lostAtPage(req, undefined);
      }
      const isInRow = transaction.startedAt - signedInAt <= secondsInRow * 1000;
      const row = isInRow ? inRow + 1 : 2;
      rows.set(req, row);
      if (row <= maxInRow) return;
      forget(req, res);
      throw new SessionLostError(
        'it came back each time, and the page that the login led to has ended or replaced its session',
        sessionCookie,
      );
    },
    isDue(req) {
      const { session, sessionID } = req as SessionRequest;
      const isLeft = session?.[options.sessionKey] !== undefined && signedIn.get(req) === sessionID;
      return isLeft && rows.has(req);
    },
    remember(req, res) {
      const { sessionID } = req as SessionRequest;
      signedIn.set(req, sessionID);
      write(res, rows.get(req) ?? 1, sessionDigest(sessionID));
      res.once('finish', () => {
        const set = [res.getHeader('Set-Cookie') ?? []].flat().map(String);
        const own = set.find((cookie) => cookie.includes(sessionID));
        sessionCookie = own?.split('=')[0] ?? sessionCookie;
      });
    },
    expectAtPage(req, res) {
      const signIn = read(req);
      if (signIn === undefined) return;
      write(res, signIn[1], signIn[2]);
      const attributes = { ...ofPages.attributes, maxAge: checkSeconds };
      const seen = sessionDigest((req as SessionRequest).sessionID);
      res.append('Set-Cookie', serialize(noteName, seen, attributes));
    },
    isExpected,
    isExpectedOf,
    found(req, res) {
      if (isExpected(req) && !res.headersSent) forget(req, res);
    },
    expectNoMore,
    forget,
    cookieName: () => sessionCookie,
  };
}

/** Path of the first check that a new session comes back, after which the browser goes to the URL. */
export function pathOfCheck(parts: FlowParts, req: Request, url: string): string {
  const session = sessionDigest((req as SessionRequest).sessionID);
  return checkPath(parts, [checksInRow, session, url, false]);
}

function checkPath(
  { options, sealer }: FlowParts,
  rest: Check extends [number, ...infer Rest] ? Rest : never,
): string {
  const expiresAt = Math.floor(options.now() / 1000) + checkSeconds;
  const check: Check = [expiresAt, ...rest];
  const sealed = sealer.seal(JSON.stringify(check), purposeOf(options));
  return `${options.basePath}${options.callbackPath}?${checkParameter}=${sealed}`;
}

function purposeOf({ issuer, clientId }: ResolvedOptions): string {
  return JSON.stringify(['session check', issuer, clientId]);
}

/**
 * Answers a visit of the callback that is such a check.
 *
 * @returns whether it is one
 * @throws {@link SessionLostError} where the session has not come back
 */
export async function answerCheck(parts: FlowParts, req: Request, res: Response): Promise<boolean> {
  const sealed = readQuery(req).find(([name]) => name === checkParameter)?.[1];
  if (sealed === undefined) return false;
  const { options, sealer, sessionChecks } = parts;
  const text = sealer.open(String(sealed), purposeOf(options));
  const [expiresAt, left, session, url, isAgain] = JSON.parse(text ?? '[0,0,"","",true]') as Check;
  const isValid = expiresAt >= options.now() / 1000;
  if ((await parts.loginSessions.current(req)) !== undefined) {
    const next = left > 1 ? checkPath(parts, [left - 1, session, url, isAgain]) : url;
    if (isValid && left === 1) sessionChecks.expectAtPage(req, res);
    sendRedirect(res, isValid ? next : defaultReturnPath(options));
    return true;
  }
  if (isValid && !isAgain && mayBeReplaced(req, session, sessionChecks.cookieName())) {
    const path = checkPath(parts, [checksInRow, session, url, true]);
    sendRefresh(res, path, 'Signing in', 'Continue', waitSeconds);
    return true;
  }
  const error = isValid
    ? lostAtCallback(req, session, sessionChecks.cookieName(), options.origin)
    : oldCheck();
  res.locals['oidcReturnTo'] = url || undefined;
  publish('refusal', { error, req });
  throw error;
}

function oldCheck(): ValidationError {
  return new ValidationError(
    'ERR_OIDC_RESPONSE_SEAL',
    'RFC 9700 4.11',
    `the sealed check of the session is not of this flow, was changed, or is older than ${checkSeconds} seconds`,
  );
}
