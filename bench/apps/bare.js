// No authentication at all: a session that holds what a login would put there, and routes that use it.
import { answerPage, createApp, landingPath, openStore, proxyTo, sessions } from './web.js';

export async function start(setting) {
  const { store } = await openStore(setting);
  const app = createApp();
  app.use(sessions(store));
  // Stands for the login: as many bytes as the tokens of the OP.
  app.get('/login', (req, res) => {
    const text = (length) => 'x'.repeat(length);
    const idToken = [text(60), text(390), text(342)].join('.');
    req.session.user = { sub: 'user-000000001', name: 'Ada Lovelace', email: 'ada@op.example' };
    req.session.tokens = {
      accessToken: text(43),
      refreshToken: text(43),
      idToken,
      expiresAt: Date.now() + 36_000_000,
      scope: 'openid profile email offline_access',
    };
    res.redirect(303, landingPath);
  });
  const guard = (req, res, next) => {
    const { user, tokens } = req.session;
    if (user === undefined || tokens.expiresAt < Date.now()) {
      res.sendStatus(401);
      return;
    }
    req.headers.authorization = `Bearer ${tokens.accessToken}`;
    next();
  };
  app.get('/page', guard, (req, res) =>
    answerPage(res, req.session.user.sub, req.headers.authorization),
  );
  app.use('/api', guard, proxyTo(setting.apiUrl));
  return { listener: app };
}
