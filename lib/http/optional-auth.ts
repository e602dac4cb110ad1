import type { Request, RequestHandler, Response } from 'express';
import { resolveTarget } from '../oidc/token-target.ts';
import { comeAgain } from './arrival.ts';
import { sendToOp } from './authorization-page.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { RequestContext } from './oidc-context.ts';
import { beginSilentLogin } from './silent-login.ts';

/** Options of `optionalAuth()`. */
export interface OptionalAuthOptions {
  /**
   * Whether a browser that navigates here without a login goes to the OP and back first, once an hour
   * at most: who has a session there arrives signed in, everybody else as before. The OP is told to
   * ask nothing (`prompt=none`).
   *
   * @default false
   */
  silentLogin?: boolean | undefined;
}

/** Attaches `req.oidc` where the visitor is signed in, lets everybody through, refreshes nothing. */
export function optionalAuth(
  parts: FlowParts,
  { silentLogin = false }: OptionalAuthOptions,
): RequestHandler {
  const target = resolveTarget({}, parts.options);
  if (silentLogin) parts.silentLogins.enable();

  /** @returns whether the request has been answered */
  const recognize = async (req: Request, res: Response): Promise<boolean> => {
    const login = await parts.loginSessions.current(req);
    if (login !== undefined) {
      req.oidc = new RequestContext(parts, login, target);
      parts.sessionChecks.found(req, res);
      return false;
    }
    if (!silentLogin || !parts.silentLogins.isDue(req)) return false;
    if (comeAgain(parts, req, res)) return true;
    const request = await beginSilentLogin(parts, req, res);
    if (request === undefined) return false;
    sendToOp(req, res, request, parts.options);
    return true;
  };

  return function optionalHybridAuth(req, res, next) {
    recognize(req, res).then(
      (isAnswered) => {
        if (!isAnswered) next();
      },
      (error: unknown) => answerError(error, req, res, next, parts.options),
    );
  };
}
