import type { Request, RequestHandler, Response } from 'express';
import { OptionsError, ValidationError } from '../errors.ts';
import type { GrantTokens } from '../oidc/code-exchange.ts';
import { buildEndSessionRequest, type EndSessionRequest } from '../oidc/end-session.ts';
import { revokeRefreshToken } from '../oidc/revocation.ts';
import { readQuery } from './callback-parameters.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { refuseOutsideNavigation } from './login.ts';
import { isSameOrigin } from './negotiation.ts';
import { escapeHtml, sendOn, sendPage, sendRedirect } from './pages.ts';
import { defaultReturnPath, wantedReturnPath } from './return-to.ts';

/**
 * The logout route, by GET or POST: ends the login here, then at the OP. A request that another
 * site caused ends nothing, and the visitor is asked.
 *
 * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html RP-Initiated Logout 1.0}
 */
export function logoutRoute(parts: FlowParts): RequestHandler {
  const { options } = parts;
  return function hybridLogout(req, res, next) {
    const returnTo = wantedReturnPath(req, options);
    if (req.method !== 'POST') {
      try {
        // A prefetch, an image or a frame must sign nobody out.
        refuseOutsideNavigation(req);
      } catch (error) {
        answerError(error, req, res, next, options);
        return;
      }
    }
    if (!isSameOrigin(req, options.origin)) {
      askFirst(parts, res, returnTo);
      return;
    }
    logOut(parts, req, res, returnTo).catch((error: unknown) =>
      answerError(error, req, res, next, options),
    );
  };
}

async function logOut(
  parts: FlowParts,
  req: Request,
  res: Response,
  returnTo: string,
): Promise<void> {
  const login = await parts.loginSessions.current(req);
  // Here first: whatever becomes of the visit at the OP, nobody is signed in here any more.
  if (login !== undefined) await parts.freshTokens.end(login.place, 'user');
  await parts.loginSessions.end(req);
  // Neither waited for nor needed: the login has ended here, and nobody else has the token.
  const refreshToken = login?.record.tokens.refreshToken;
  if (refreshToken !== undefined) {
    revokeRefreshToken(parts.provider, refreshToken).catch(() => undefined);
  }
  const endSession = await endSessionRequest(parts, login?.record.tokens);
  if (endSession !== undefined) {
    parts.logoutCookie.store(res, { state: endSession.state, returnTo });
  }
  // Who signs out wants to be signed out, also where the session at the OP goes on.
  parts.silentLogins.pause(res);
  parts.sessionChecks.forget(req, res);
  sendOn(req, res, endSession?.url ?? returnTo, 'Signing out');
}

/** The OP's part of a logout; `undefined` where it has none or cannot be reached. */
async function endSessionRequest(
  parts: FlowParts,
  login: Pick<GrantTokens, 'idToken' | 'claims'> | undefined,
): Promise<EndSessionRequest | undefined> {
  try {
    const discovered = await parts.provider.discovered();
    return buildEndSessionRequest(discovered, parts.options, login);
  } catch (error) {
    // A mistake in the set-up is told, now that the login has ended.
    if (error instanceof OptionsError) throw error;
    // The login has ended here; an OP that is down must not make it look otherwise.
    return undefined;
  }
}

function askFirst({ options }: FlowParts, res: Response, returnTo: string): void {
  const action = `${options.basePath}${options.logoutPath}?return_to=${encodeURIComponent(returnTo)}`;
  sendPage(res, 200, {
    title: 'Sign out?',
    body: `<h1>Sign out?</h1><p>You are about to sign out of this application.</p><form method="post" action="${escapeHtml(action)}"><button class="main">Sign out</button><a href="${escapeHtml(defaultReturnPath(options))}">Stay signed in</a></form>`,
  });
}

/** Where the OP sends the browser after the logout. */
export function postLogoutRoute(parts: FlowParts): RequestHandler {
  const { options, logoutCookie } = parts;
  return function hybridPostLogout(req, res, next) {
    const logout = logoutCookie.find(req);
    const state = readQuery(req).find(([name]) => name === 'state')?.[1];
    if (logout === undefined) {
      // The back button brings an old return; it does nothing, so there is nothing to refuse.
      sendRedirect(res, defaultReturnPath(options));
      return;
    }
    // RP-Initiated Logout 3: the OP passes the state back.
    if (logout.state !== state) {
      const error = new ValidationError(
        'ERR_OIDC_LOGOUT_STATE',
        'RP-Initiated Logout 3',
        'the state of this return from a logout is not one that this browser was sent away with',
      );
      answerError(error, req, res, next, options);
      return;
    }
    logoutCookie.remove(res);
    sendRedirect(res, logout.returnTo);
  };
}
