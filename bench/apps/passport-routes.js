import { answerPage, proxyTo } from './web.js';

/** The user, tokens included, in the session: as Passport's own documentation starts. */
export function keepUserInSession(passport) {
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
}

/**
 * Routes of an application on Passport.
 *
 * @param {(req: import('express').Request) => Promise<void>} [refresh] gets a new token into `req.user`
 */
export function addRoutes(app, { apiUrl }, refresh) {
  const guard = (req, res, next) => {
    if (!req.isAuthenticated()) {
      res.sendStatus(401);
      return;
    }
    const attach = () => {
      req.headers.authorization = `Bearer ${req.user.accessToken}`;
      next();
    };
    if (refresh !== undefined && req.user.expiresAt <= Date.now()) {
      refresh(req).then(attach, next);
    } else attach();
  };
  app.get('/page', guard, (req, res) => answerPage(res, req.user.sub, req.headers.authorization));
  app.use('/api', guard, proxyTo(apiUrl));
}
