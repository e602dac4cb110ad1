// passport-openidconnect: response type `code` only, and it does not verify the signature of ID Tokens.
import passport from 'passport';
import OpenIDConnectStrategy from 'passport-openidconnect';
import { addRoutes, keepUserInSession } from './passport-routes.js';
import { client, createApp, landingPath, openStore, scope, sessions } from './web.js';

export async function start(setting) {
  const { store } = await openStore(setting);
  const { issuer } = setting;
  passport.use(
    'op',
    new OpenIDConnectStrategy(
      {
        issuer,
        authorizationURL: `${issuer}/authorize`,
        tokenURL: `${issuer}/token`,
        userInfoURL: `${issuer}/userinfo`,
        // The same work for all: no applicaton here asks for more than the ID Token.
        skipUserProfile: true,
        clientID: client.id,
        clientSecret: client.secret,
        callbackURL: `${setting.baseUrl}/callback`,
        scope: scope.split(' ').slice(1),
      },
      (_issuer, profile, _context, idToken, accessToken, refreshToken, done) => {
        const tokens = { idToken, accessToken, refreshToken, expiresAt: Date.now() + 3_600_000 };
        done(null, { sub: profile.id, ...tokens });
      },
    ),
  );
  keepUserInSession(passport);
  const app = createApp();
  app.use(sessions(store));
  app.use(passport.session());
  app.get('/login', passport.authenticate('op'));
  app.get('/callback', passport.authenticate('op', { successRedirect: landingPath }));
  addRoutes(app, setting);
  return { listener: app };
}
