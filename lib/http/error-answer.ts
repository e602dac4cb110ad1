import { STATUS_CODES } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import {
  AuthenticationError,
  AuthorizationResponseError,
  HybridFlowError,
  LoginRefusedError,
  OptionsError,
  ProviderError,
  ProxyError,
  SessionLostError,
  SessionStoreError,
  StepUpError,
  TenantError,
  TransactionError,
} from '../errors.ts';
import { publish } from '../events.ts';
import type { FailedRequest, OnError, ResolvedOptions } from '../options.ts';
import { isNavigation } from './negotiation.ts';
import { escapeHtml, sendPage } from './pages.ts';
import { defaultReturnPath } from './return-to.ts';

/** Seconds after which a failure that passes is worth another try. */
const retryAfterSeconds = 5;

/**
 * Answers a request that failed: by the application's `onError`, or with a page for people and
 * problem details for programs. What is no error of this library goes to the application.
 */
export function answerError(
  error: unknown,
  req: Request,
  res: Response,
  next: NextFunction,
  options: AnswerOptions,
): void {
  if (res.headersSent || !(error instanceof HybridFlowError)) {
    next(error);
    return;
  }
  publish('error', { error, req });
  if (options.onError) {
    void callOnError(options.onError, {
      error,
      req,
      res,
      next,
      loginPath: loginPathAgain(res, options),
    });
    return;
  }
  res.set('Cache-Control', 'no-store');
  if (error.status === 503) res.set('Retry-After', String(retryAfterSeconds));
  if (isNavigation(req) || isFormPost(req)) sendErrorPage(error, res, options);
  else sendProblem(error, res, options);
}

/** What an answer needs to know of the flow; without a tenant there is no flow. */
export type AnswerOptions = Pick<ResolvedOptions, 'onError' | 'baseUrl' | 'basePath' | 'loginPath'>;

/** The application's function may throw, or return a promise that fails: both are its errors. */
async function callOnError(onError: OnError, request: FailedRequest): Promise<void> {
  try {
    await onError(request);
  } catch (failure) {
    request.next(failure);
  }
}

/** Path of the login route, with where the visitor was going. */
function loginPathAgain(res: Response, options: AnswerOptions): string {
  const returnTo: unknown = res.locals['oidcReturnTo'];
  const query = typeof returnTo === 'string' ? `?return_to=${encodeURIComponent(returnTo)}` : '';
  return `${options.basePath}${options.loginPath}${query}`;
}

/** Without Fetch Metadata, a form_post is told by its media type alone. */
function isFormPost(req: Request): boolean {
  return (
    req.method === 'POST' &&
    req.headers['sec-fetch-mode'] === undefined &&
    /form/.test(req.headers['content-type'] ?? '') &&
    /html/.test(req.headers.accept ?? 'html')
  );
}

/**
 * Problem details.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457}
 */
export function sendProblem(
  error: HybridFlowError,
  res: Response,
  options: AnswerOptions,
  login: string = `${options.basePath}${options.loginPath}`,
): void {
  const { text } = visitorText(error);
  // RFC 9457 4.2.1: without a `type` of its own, a problem has the status phrase for a title.
  const title = STATUS_CODES[error.status];
  if (error.status === 401) {
    // RFC 9110 15.5.2: a 401 MUST have a challenge. Ours is a session cookie.
    const challenge = `Cookie realm="${options.baseUrl}", form-action="${login}"`;
    res.set('WWW-Authenticate', challenge + (error instanceof StepUpError ? demandsOf(error) : ''));
  }
  res
    .status(error.status)
    .set('Cache-Control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify({ title, status: error.status, detail: text, code: error.code, login }));
}

/** As the API sent them, RFC 9470 3, but for characters that would end the quoted string. */
function demandsOf({ acrValues, maxAge }: StepUpError): string {
  const methods = acrValues.join(' ').replace(/[^\x20-\x7e]|["\\]/g, '');
  return [
    ', error="insufficient_user_authentication"',
    methods === '' ? '' : `, acr_values="${methods}"`,
    maxAge === undefined ? '' : `, max_age="${maxAge}"`,
  ].join('');
}

function sendErrorPage(error: HybridFlowError, res: Response, options: AnswerOptions): void {
  const { title, text } = visitorText(error);
  const login = loginPathAgain(res, options);
  // No login helps against a wrong set-up, an API that fails, or where there is no tenant.
  const signIn =
    (error instanceof OptionsError && !(error instanceof SessionLostError)) ||
    error instanceof TenantError ||
    error instanceof ProxyError
      ? ''
      : `<a class="main" href="${escapeHtml(login)}">Sign in again</a>`;
  const [what, name] = cookieOf(error);
  const cookie = name === undefined ? '' : `, ${what} <code>${escapeHtml(name)}</code>`;
  const forDevelopers =
    process.env['NODE_ENV'] === 'production'
      ? ''
      : `<br>${escapeHtml(error.message)}<br>Its fields and its cause go to listeners only: docs/errors.md has one that logs them`;
  sendPage(res, error.status, {
    title,
    body: `<h1>${title}</h1><p>${escapeHtml(text)}</p><nav>${signIn}<a href="${escapeHtml(defaultReturnPath(options))}">Go to the start page</a></nav><p class="detail">Reference: <code>${error.code}</code>${cookie}${forDevelopers}</p>`,
  });
}

/** The cookie that an error is about. */
function cookieOf(error: HybridFlowError): [what: string, name: string | undefined] {
  if (error instanceof SessionLostError) return ['session cookie', error.cookie];
  return ['missing cookie', error instanceof TransactionError ? error.cookie : undefined];
}

/** What a visitor can make of it: what happened, and what to do next. Never text of the OP. */
function visitorText(error: HybridFlowError): { title: string; text: string } {
  if (error instanceof AuthorizationResponseError && error.code === 'ERR_OIDC_ACCESS_DENIED') {
    return {
      title: 'Sign-in was canceled',
      text: 'You are not signed in. You canceled, or you have no access to this application. You can try again, also with another account.',
    };
  }
  if (error instanceof AuthorizationResponseError && error.status < 500) {
    return {
      title: 'Sign-in could not be completed',
      text: 'The sign-in service has refused this sign-in. You can try again. If that does not help, please tell the people who run this application.',
    };
  }
  if (error instanceof LoginRefusedError) {
    return { title: 'This account has no access', text: error.reason };
  }
  if (error instanceof AuthenticationError && error.code === 'ERR_OIDC_LOGIN_REFUSED') {
    return {
      title: 'This account has no access',
      text: 'You are signed in at the sign-in service, but this application does not admit the account. You can try again with another one.',
    };
  }
  if (error instanceof AuthenticationError && error.status === 403) {
    return {
      title: 'This is not allowed',
      text: 'Your account may not do this, or another site asked for it. You can go on from the start page, or sign in with another account.',
    };
  }
  if (error instanceof AuthenticationError) {
    return { title: 'Please sign in', text: 'This needs a sign-in. Please sign in and try again.' };
  }
  if (
    error instanceof AuthorizationResponseError ||
    (error instanceof ProviderError && error.status !== 400)
  ) {
    return {
      title: 'Sign-in is not available at the moment',
      text: 'The sign-in service does not answer as it should. Please try again in a moment.',
    };
  }
  if (error instanceof TenantError && error.status === 404) {
    return {
      title: 'There is nothing here',
      text: 'This address does not belong to anybody who uses this application. Please check how it is spelled.',
    };
  }
  if (error instanceof ProxyError && error.status < 502) {
    return {
      title: 'This does not work here',
      text: 'This address, or what was asked of it, cannot be served. Please go on from the start page.',
    };
  }
  if (
    error instanceof SessionStoreError ||
    error instanceof TenantError ||
    error instanceof ProxyError
  ) {
    return {
      title: 'This is not available at the moment',
      text: 'Part of this application does not answer. Please try again in a moment.',
    };
  }
  if (error instanceof TransactionError && error.cookie !== undefined) {
    return {
      title: 'Sign-in could not be completed',
      text: 'This browser did not bring back the cookie that the sign-in began with. Please allow cookies for this site, stay in one browser from beginning to end, and sign in again.',
    };
  }
  if (error instanceof SessionLostError) {
    return {
      title: 'You could not be kept signed in',
      text: 'The sign-in service knows you, but this application lost your sign-in at once, twice in a row. You can sign in again. If you see this page once more, tell the people who run this application.',
    };
  }
  if (error instanceof OptionsError) {
    return {
      title: 'Sign-in is not set up correctly',
      text: 'Nothing is wrong with your account. Please tell the people who run this application.',
    };
  }
  return {
    title: 'Sign-in could not be completed',
    text: 'The answer of the sign-in service could not be used: it may have been too late, used before, or changed on its way. Please sign in again.',
  };
}
