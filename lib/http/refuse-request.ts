import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import { AuthenticationError, StepUpError } from '../errors.ts';
import { type LoginRequest, narrowLogin } from '../oidc/login-request.ts';
import { loginForDemands } from '../oidc/step-up.ts';
import type { ResolvedOptions } from '../options.ts';
import { comeAgain } from './arrival.ts';
import { sendToOp } from './authorization-page.ts';
import { restoreCookies } from './downstream-headers.ts';
import { answerError, sendProblem } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { beginLogin, loginPathFor } from './login.ts';
import { isNavigation } from './negotiation.ts';
import { flowOf } from './oidc-context.ts';
import { defaultReturnPath, requestedPath, safeReturnPath } from './return-to.ts';

/** What becomes of a request without a login: a login begins, or it gets a 401. */
export type Unauthenticated = 'login' | 'problem';

/** A login for those who can complete one, a 401 for all others. */
export function defaultAnswer(req: Request): Unauthenticated {
  return isNavigation(req) ? 'login' : 'problem';
}

/** How a guard answers a request that it does not let through. */
export interface Refusal {
  readonly answerFor: (req: Request) => Unauthenticated;
  /** What a login asks for that begins there. */
  readonly login?: ((req: Request) => LoginRequest | undefined) | undefined;
}

/** Answers a request that cannot go on: where a login helps, by a login or a 401 that says so. */
export async function refuseRequest(
  parts: FlowParts,
  req: Request,
  res: Response,
  next: NextFunction,
  error: unknown,
  { answerFor, login }: Refusal,
): Promise<void> {
  const { options } = parts;
  restoreCookies(req);
  try {
    const isForLogin = error instanceof AuthenticationError && error.status === 401;
    if (!isForLogin || res.headersSent) throw error;
    if (error.code === 'ERR_OIDC_LOGIN_ENDED') await parts.loginSessions.end(req);
    const wanted = login?.(req);
    const isForDemands = error instanceof StepUpError;
    const asked = isForDemands ? addDemands(wanted, error) : wanted;
    if (answerFor(req) === 'login') {
      if (comeAgain(parts, req, res)) return;
      const returnTo = wantedPath(req, options);
      sendToOp(req, res, await beginLogin(parts, req, res, returnTo, { login: asked }), options);
    } else sendProblem(error, res, options, asked && loginPathFor(parts, asked));
  } catch (failure) {
    answerError(failure, req, res, next, options);
  }
}

/**
 * Answers what `req.oidc` throws in handlers: a login where that helps, a 503 in an outage, always
 * without a stack trace. Errors of others go on, those of other flows too.
 */
export function errorHandler(parts: FlowParts): ErrorRequestHandler {
  return function hybridErrorHandler(error, req, res, next) {
    const flow = flowOf(error);
    if (flow !== undefined && flow !== parts) next(error);
    else void refuseRequest(parts, req, res, next, error, { answerFor: defaultAnswer });
  };
}

function addDemands(login: LoginRequest | undefined, demands: StepUpError): LoginRequest {
  const demanded = loginForDemands(demands);
  return login === undefined ? demanded : narrowLogin(login, demanded);
}

/** The URL asked for; for a form that was sent, the page that it was on. */
function wantedPath(req: Request, options: ResolvedOptions): string {
  if (req.method === 'GET' || req.method === 'HEAD') {
    return requestedPath(req, options) ?? defaultReturnPath(options);
  }
  const referer = req.headers.referer ?? '';
  const isOurs = referer.startsWith(`${options.origin}/`);
  const path = isOurs ? safeReturnPath(referer.slice(options.origin.length), options) : undefined;
  return path ?? defaultReturnPath(options);
}
