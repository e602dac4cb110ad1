// express-openid-connect with its default session: a cookie that holds everything, encrypted.
import eoc from 'express-openid-connect';
import { answerPage, client, createApp, landingPath, openStore, proxyTo, scope } from './web.js';

export async function start(setting, sessionStore) {
  const app = createApp();
  app.use(
    eoc.auth({
      issuerBaseURL: setting.issuer,
      baseURL: setting.baseUrl,
      clientID: client.id,
      clientSecret: client.secret,
      secret: 'a secret for benchmarks, which seals cookies and tokens',
      authRequired: false,
      idpLogout: true,
      idTokenSigningAlg: 'RS256',
      authorizationParams: { response_type: 'code id_token', scope },
      routes: { login: false },
      ...(sessionStore === undefined ? {} : { session: { store: sessionStore } }),
    }),
  );
  app.get('/login', (_req, res) => res.oidc.login({ returnTo: landingPath }));
  const bearer = async (req) => {
    let { accessToken } = req.oidc;
    // As its EXAMPLES.md refreshes a token.
    if (accessToken.isExpired()) accessToken = await accessToken.refresh();
    return `Bearer ${accessToken.access_token}`;
  };
  const attach = (req, _res, next) => {
    bearer(req).then((authorization) => {
      req.headers.authorization = authorization;
      next();
    }, next);
  };
  app.get('/page', eoc.requiresAuth(), attach, (req, res) =>
    answerPage(res, req.oidc.user.sub, req.headers.authorization),
  );
  app.use('/api', eoc.requiresAuth(), attach, proxyTo(setting.apiUrl));
  return { listener: app };
}

/** With a session store, as its EXAMPLES.md has it. */
export async function startWithStore(setting) {
  const { store } = await openStore(setting);
  return start(setting, store);
}
