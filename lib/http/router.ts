import express, { type Request, type RequestHandler, type Response } from 'express';
import type { ReceivedResponse } from '../oidc/authorization-response.ts';
import { answerArrival } from './arrival.ts';
import { sendToOpAgain } from './authorization-page.ts';
import { completeLogin, receivePost, type SignIn } from './callback.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { mayHaveFragment, sendFragmentPage } from './fragment-page.ts';
import { initiateLoginRoute } from './initiate-login.ts';
import { land, lookAgain } from './landing.ts';
import { loginRoute, notANavigation } from './login.ts';
import { regenerateSession } from './login-session.ts';
import { logoutRoute, postLogoutRoute } from './logout.ts';
import { isPrefetch } from './negotiation.ts';
import { backchannelLogoutRoute, frontchannelLogoutRoute } from './op-logout.ts';
import { canLogIn, passportSession } from './passport-session.ts';
import { answerCheck } from './session-check.ts';

/**
 * The routes of a flow: login, callback, logout, and the return from logout. All requests of the
 * application come by here, so the path is looked at first, and the routes only where it is one of theirs.
 */
export function createRouter(parts: FlowParts): RequestHandler {
  const { options } = parts;
  const routes = express.Router();
  routes.get(options.loginPath, loginRoute(parts));
  if (options.initiateLogin) {
    routes.get(options.initiateLoginPath, initiateLoginRoute(parts));
    routes.post(options.initiateLoginPath, initiateLoginRoute(parts));
  }
  routes.post(options.callbackPath, callbackPost(parts));
  routes.get(options.callbackPath, callbackGet(parts));
  routes.get(options.logoutPath, logoutRoute(parts));
  routes.post(options.logoutPath, logoutRoute(parts));
  routes.get(options.postLogoutPath, postLogoutRoute(parts));
  if (parts.endSessions && options.backchannelLogout) {
    routes.post(options.backchannelLogoutPath, backchannelLogoutRoute(parts, parts.endSessions));
  }
  if (parts.endSessions && options.frontchannelLogout) {
    routes.get(options.frontchannelLogoutPath, frontchannelLogoutRoute(parts, parts.endSessions));
  }
  const paths = new Set(
    [
      options.loginPath,
      options.initiateLoginPath,
      options.callbackPath,
      options.logoutPath,
      options.postLogoutPath,
      options.backchannelLogoutPath,
      options.frontchannelLogoutPath,
    ].map(comparable),
  );
  return function hybridRouter(req, res, next) {
    if (paths.has(comparable(req.path))) routes(req, res, next);
    else next();
  };
}

/** A path as Express compares it: neither case nor a slash at the end counts. */
export function comparable(path: string): string {
  const lower = path.toLowerCase();
  return lower.endsWith('/') ? lower.slice(0, -1) : lower;
}

function callbackPost(parts: FlowParts): RequestHandler {
  return function hybridCallbackPost(req, res, next) {
    receivePost(parts, req, res, (received) => complete(parts, req, res, received)).catch(
      (error: unknown) => answerError(error, req, res, next, parts.options),
    );
  };
}

function callbackGet(parts: FlowParts): RequestHandler {
  return function hybridCallbackGet(req, res, next) {
    if (req.method !== 'GET' || isPrefetch(req)) {
      // HEAD comes here too; neither may spend a code.
      answerError(notANavigation(), req, res, next, parts.options);
      return;
    }
    if (mayHaveFragment(req, parts.options)) {
      sendFragmentPage(res, parts.options);
      return;
    }
    const answer = async (): Promise<void> => {
      if (await answerArrival(parts, req, res)) return;
      if (await answerCheck(parts, req, res)) return;
      await complete(parts, req, res);
    };
    answer().catch((error: unknown) => answerError(error, req, res, next, parts.options));
  };
}

/** Ends a login, and answers as it ended. @throws what it failed by */
async function complete(
  parts: FlowParts,
  req: Request,
  res: Response,
  posted?: ReceivedResponse,
): Promise<void> {
  const { verify } = parts.options;
  const signIn: SignIn = (user, establish) =>
    establish(user && canLogIn(req) ? passportSession(user) : regenerateSession);
  const outcome = await completeLogin(parts, req, res, { verify, signIn }, posted);
  if (outcome.end === 'failed') throw outcome.error;
  if (outcome.end === 'begun again') sendToOpAgain(res, outcome.request, parts.options);
  else if (outcome.end === 'to look again') lookAgain(res, outcome.path);
  else land(parts, req, res, outcome.returnTo);
}
