import type { Request, RequestHandler, Response } from 'express';
import { AuthenticationError } from '../errors.ts';
import { buildAuthorizationUrl } from '../oidc/authorization-request.ts';
import { createTransaction } from '../oidc/transaction.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { isNavigation } from './negotiation.ts';
import { sendRedirect } from './pages.ts';
import { wantedReturnPath } from './return-to.ts';

/**
 * Begins a login: sets its transaction cookie and returns the URL of the OP to go to.
 *
 * @throws {@link ProviderError} when the OP cannot be discovered
 */
export async function beginLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  returnTo: string,
): Promise<string> {
  const { options, provider, loginSessions, transactionCookies } = parts;
  res.locals['oidcReturnTo'] = returnTo;
  const sessionId = loginSessions.visitorId(req);
  const discovered = await provider.discovered();
  const transaction = createTransaction(options, { returnTo, sessionId });
  transactionCookies.store(req, res, transaction);
  return buildAuthorizationUrl(discovered, options, transaction);
}

/** The login route: `GET /login?return_to=/path`. */
export function loginRoute(parts: FlowParts): RequestHandler {
  const { options } = parts;
  return function hybridLogin(req, res, next) {
    const begin = async (): Promise<void> => {
      refuseOutsideNavigation(req);
      const returnTo = wantedReturnPath(req, options);
      sendRedirect(res, await beginLogin(parts, req, res, returnTo));
    };
    begin().catch((error: unknown) => answerError(error, req, res, next, options));
  };
}

/**
 * Nobody could complete a login that fetch, an image or a prefetch began, and each would leave a
 * cookie.
 *
 * @throws {@link AuthenticationError} `ERR_OIDC_NOT_A_NAVIGATION`
 */
export function refuseOutsideNavigation(req: Request): void {
  if (!isNavigation(req) || req.method !== 'GET') throw notANavigation();
}

export function notANavigation(): AuthenticationError {
  return new AuthenticationError(
    'ERR_OIDC_NOT_A_NAVIGATION',
    'a login or logout is a navigation of the browser: not a fetch, an image, a frame or a prefetch',
  );
}
