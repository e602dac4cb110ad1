// Auth.js for Express: response type `code` by query, with its default session, an encrypted cookie.
import { ExpressAuth, getSession } from '@auth/express';
import { answerPage, client, createApp, landingPath, proxyTo, scope } from './web.js';

export async function start(setting) {
  const provider = {
    id: 'op',
    name: 'OP',
    type: 'oidc',
    issuer: setting.issuer,
    clientId: client.id,
    clientSecret: client.secret,
    authorization: { params: { scope } },
    checks: ['pkce', 'state', 'nonce'],
  };
  const config = {
    providers: [provider],
    secret: 'a secret for benchmarks, which seals cookies and tokens',
    trustHost: true,
    // For getSession(); below `/auth` it tells the path by itself.
    basePath: '/auth',
    callbacks: {
      // As its guide to refresh token rotation has it.
      async jwt({ token, account }) {
        if (account) {
          const { access_token, expires_at, refresh_token } = account;
          return { ...token, access_token, expires_at, refresh_token };
        }
        if (Date.now() < token.expires_at * 1000) return token;
        const response = await fetch(`${setting.issuer}/token`, {
          method: 'POST',
          body: new URLSearchParams({
            client_id: client.id,
            client_secret: client.secret,
            grant_type: 'refresh_token',
            refresh_token: token.refresh_token,
          }),
        });
        const tokens = await response.json();
        if (!response.ok) return { ...token, error: 'RefreshTokenError' };
        return {
          ...token,
          access_token: tokens.access_token,
          expires_at: Math.floor(Date.now() / 1000 + tokens.expires_in),
          refresh_token: tokens.refresh_token ?? token.refresh_token,
        };
      },
      session({ session, token }) {
        return { ...session, sub: token.sub, accessToken: token.access_token, error: token.error };
      },
    },
  };
  const app = createApp();
  app.set('trust proxy', true);
  // Its documentation mounts it at '/auth/*', which Express 5 does not know.
  app.use('/auth', ExpressAuth(config));
  const guard = (req, res, next) => {
    getSession(req, config).then((session) => {
      if (!session?.accessToken || session.error) {
        res.sendStatus(401);
        return;
      }
      res.locals.session = session;
      req.headers.authorization = `Bearer ${session.accessToken}`;
      next();
    }, next);
  };
  app.get('/page', guard, (req, res) =>
    answerPage(res, res.locals.session.sub, req.headers.authorization),
  );
  app.use('/api', guard, proxyTo(setting.apiUrl));
  return { listener: app };
}

/** Its sign-in is a POST with a token against forged requests. */
export async function signIn(visitor, url) {
  const { text } = await visitor.send({ method: 'GET', url: `${url}/auth/csrf` });
  const { csrfToken } = JSON.parse(text);
  const body = new URLSearchParams({ csrfToken, callbackUrl: `${url}${landingPath}` }).toString();
  await visitor.signIn(`${url}/auth/signin/op`, { method: 'POST', body });
}
