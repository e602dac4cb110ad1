import express, { type RequestHandler, type Router } from 'express';
import { sendToOpAgain } from './authorization-page.ts';
import { completeLogin, type RecentLogins, receivePost, type SignIn } from './callback.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { mayHaveFragment, sendFragmentPage } from './fragment-page.ts';
import { land, lookAgain } from './landing.ts';
import { loginRoute, notANavigation } from './login.ts';
import { regenerateSession } from './login-session.ts';
import { logoutRoute, postLogoutRoute } from './logout.ts';
import { isPrefetch } from './negotiation.ts';
import { backchannelLogoutRoute, frontchannelLogoutRoute } from './op-logout.ts';
import { canLogIn, passportSession } from './passport-session.ts';

/** The routes of a flow: login, callback, logout, and the return from logout. */
export function createRouter(parts: FlowParts, recent: RecentLogins): Router {
  const { options } = parts;
  const router = express.Router();
  router.get(options.loginPath, loginRoute(parts));
  router.post(options.callbackPath, callbackPost(parts));
  router.get(options.callbackPath, callbackGet(parts, recent));
  router.get(options.logoutPath, logoutRoute(parts));
  router.post(options.logoutPath, logoutRoute(parts));
  router.get(options.postLogoutPath, postLogoutRoute(parts));
  if (parts.endSessions && options.backchannelLogout) {
    router.post(options.backchannelLogoutPath, backchannelLogoutRoute(parts, parts.endSessions));
  }
  if (parts.endSessions && options.frontchannelLogout) {
    router.get(options.frontchannelLogoutPath, frontchannelLogoutRoute(parts, parts.endSessions));
  }
  return router;
}

function callbackPost(parts: FlowParts): RequestHandler {
  return function hybridCallbackPost(req, res, next) {
    receivePost(parts, req, res).catch((error: unknown) =>
      answerError(error, req, res, next, parts.options),
    );
  };
}

function callbackGet(parts: FlowParts, recent: RecentLogins): RequestHandler {
  const { verify } = parts.options;
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
    const signIn: SignIn = (user, establish) =>
      establish(user && canLogIn(req) ? passportSession(user) : regenerateSession);
    completeLogin(parts, req, res, recent, { verify, signIn })
      .then((outcome) => {
        if (outcome.end === 'failed') throw outcome.error;
        if (outcome.end === 'begun again') sendToOpAgain(res, outcome.request, parts.options);
        else if (outcome.end === 'to look again') lookAgain(res, outcome.path);
        else land(req, res, outcome.returnTo);
      })
      .catch((error: unknown) => answerError(error, req, res, next, parts.options));
  };
}
