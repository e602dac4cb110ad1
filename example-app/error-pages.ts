import type { NextFunction, Request, Response } from 'express';
import { HybridFlowError } from 'passport-oidc-hybrid';

/** A failure that a page can explain; `message` is shown to the visitor. */
export class PageError extends Error {
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

interface ErrorPage {
  readonly title: string;
  readonly text: string;
  /** The flag that says it. */
  readonly letter: string;
}

const pages: Readonly<Record<number, ErrorPage>> = {
  401: { title: 'Please sign in', text: 'This page is for people we know.', letter: 'K' },
  403: { title: 'Negative', text: 'That is not allowed from here.', letter: 'N' },
  404: {
    title: 'No such page',
    text: 'Nothing is moored at this address. It may have sailed, or never have been.',
    letter: 'X',
  },
  502: { title: 'No answer', text: 'A service behind this shop did not answer.', letter: 'G' },
  503: { title: 'Try again shortly', text: 'The shop is out of reach just now.', letter: 'G' },
};

const badRequest: ErrorPage = {
  title: 'That did not work',
  text: 'The request could not be understood. Going back and trying again usually helps.',
  letter: 'U',
};

const failure: ErrorPage = {
  title: 'Something broke',
  text: 'The fault is on our side, and it has been written down.',
  letter: 'W',
};

const canceledSignIn: ErrorPage = {
  title: 'Sign-in canceled',
  text: 'Nothing happened, and your cart is as you left it.',
  letter: 'N',
};

/** Answers what no route wanted. */
export function renderNotFound(_req: Request, _res: Response, next: NextFunction): void {
  next(new PageError(404, 'no such page'));
}

/**
 * Answers every error of the site, those of the sign-in included (see `onError` in `sign-in.ts`).
 *
 * It shows a status and a sentence. Messages of unknown errors and stack traces stay in the log.
 */
export function renderError(error: unknown, req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) {
    next(error);
    return;
  }
  const status = readStatus(error);
  // A visitor who cancels is no news; whatever else went wrong with a sign-in is.
  const isNews = error instanceof HybridFlowError && error.code !== 'ERR_OIDC_ACCESS_DENIED';
  if (status >= 500 || isNews) console.error(`${req.method} ${req.path} failed:`, error);
  res.status(status);
  if (!isNavigation(req)) {
    sendProblem(res, status, pageFor(error, status).title, readCode(error));
    return;
  }
  const signInUrl = signInAgain(error, res.locals['oidcReturnTo']);
  res.render('error', { ...pageFor(error, status), code: readCode(error), status, signInUrl });
}

/** Whether a person is looking at the answer. Scripts' `fetch` accepts anything, so Accept lies. */
function isNavigation(req: Request): boolean {
  const mode = req.get('sec-fetch-mode');
  return mode === undefined ? /text\/html/.test(req.get('accept') ?? '') : mode === 'navigate';
}

/** RFC 9457. */
function sendProblem(res: Response, status: number, title: string, code: string | undefined): void {
  // RFC 9110 section 15.5.2 wants a challenge with every 401; here the way in is a session cookie.
  if (status === 401) res.set('WWW-Authenticate', 'Cookie realm="halyard", form-action="/login"');
  res.type('application/problem+json').send({ status, title, code });
}

/** A sign-in that failed can be tried again, and then leads to where the visitor was going. */
function signInAgain(error: unknown, returnTo: unknown): string | undefined {
  if (!(error instanceof HybridFlowError)) return undefined;
  return `/login?return_to=${encodeURIComponent(typeof returnTo === 'string' ? returnTo : '/')}`;
}

function pageFor(error: unknown, status: number): ErrorPage {
  if (readCode(error) === 'ERR_OIDC_ACCESS_DENIED') return canceledSignIn;
  const page = pages[status] ?? (status < 500 ? badRequest : failure);
  return error instanceof PageError && status !== 404 ? { ...page, text: error.message } : page;
}

/** Errors of Express, of body parsers and of passport-oidc-hybrid all carry their HTTP status. */
function readStatus(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}

function readCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_OIDC_') ? code : undefined;
}
