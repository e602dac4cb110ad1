import type { Request, RequestHandler, Response } from 'express';
import { ValidationError } from '../errors.ts';
import { readLoginInitiation } from '../oidc/login-initiation.ts';
import { readFormPost, readQuery } from './callback-parameters.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { loginPathFor, notANavigation } from './login.ts';
import { isNavigation } from './negotiation.ts';
import { sendRefresh } from './pages.ts';
import { defaultReturnPath, safeTargetPath } from './return-to.ts';
import { leaveSessionAlone } from './session-request.ts';

/**
 * The route at which a third party has a login begin, by GET or POST. A page of our own leads on to the
 * login route: by the request of another site no Lax or Strict cookie comes, and the visitor's session
 * would not be seen.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ThirdPartyInitiatedLogin Core 4}
 */
export function initiateLoginRoute(parts: FlowParts): RequestHandler {
  const { options } = parts;
  return function hybridInitiateLogin(req, res, next) {
    initiate(parts, req, res).catch((error: unknown) =>
      answerError(error, req, res, next, options),
    );
  };
}

async function initiate(parts: FlowParts, req: Request, res: Response): Promise<void> {
  const { options } = parts;
  // Core 4: not in a frame, where nobody sees at which OP they sign in.
  if (!isNavigation(req) || req.method === 'HEAD') throw notANavigation();
  leaveSessionAlone(req);
  const raw =
    req.method === 'POST'
      ? await readFormPost(req, res, options.callbackBodyLimitBytes)
      : readQuery(req);
  const { loginHint, targetLinkUri } = readLoginInitiation(raw, options);
  const target = targetLinkUri && safeTargetPath(targetLinkUri, options);
  if (targetLinkUri !== undefined && target === undefined) {
    // Core 4: the target MUST be verified, or this route is an open redirector.
    throw new ValidationError(
      'ERR_OIDC_INITIATION_TARGET',
      'Core 4',
      'the parameter target_link_uri of the route that initiates logins must be a page of this application, below baseUrl',
    );
  }
  const parameters = loginHint === undefined ? {} : { login_hint: loginHint };
  const login = { maxAge: undefined, acrValues: [], organization: undefined, parameters };
  const returnTo = encodeURIComponent(target ?? defaultReturnPath(options));
  const path = `${loginPathFor(parts, login)}&return_to=${returnTo}`;
  sendRefresh(res, path, 'Signing in', 'Continue');
}
