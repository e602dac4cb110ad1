// The Passport strategy of openid-client itself, in its hybrid configuration. It keeps a login in the session, whose
// cookie has to be SameSite=None: any other stays behind when the OP sends its form from another site.
import * as openid from 'openid-client';
import { Strategy } from 'openid-client/passport';
import passport from 'passport';
import { addRoutes, keepUserInSession } from './passport-routes.js';
import { client, createApp, landingPath, openStore, scope, sessions } from './web.js';

export async function start(setting) {
  const { store } = await openStore(setting);
  const config = await openid.discovery(
    new URL(setting.issuer),
    client.id,
    client.secret,
    undefined,
    { execute: [openid.allowInsecureRequests, openid.useCodeIdTokenResponseType] },
  );

  /** Asks for form_post, which the hybrid configuration leaves at `fragment`. */
  class FormPostStrategy extends Strategy {
    authorizationRequestParams(req, options) {
      const parameters = super.authorizationRequestParams(req, options) ?? new URLSearchParams();
      parameters.set('response_mode', 'form_post');
      return parameters;
    }
  }

  passport.use(
    'op',
    new FormPostStrategy(
      { config, scope, callbackURL: `${setting.baseUrl}/callback` },
      (tokens, verified) => verified(null, userOf(tokens)),
    ),
  );
  keepUserInSession(passport);
  const app = createApp();
  app.use(sessions(store, { sameSite: 'none' }));
  app.use(passport.session());
  app.get('/login', passport.authenticate('op'));
  app.post('/callback', passport.authenticate('op', { successRedirect: landingPath }));
  addRoutes(app, setting, async (req) => {
    const { refreshToken, sub } = req.user;
    const tokens = await openid.refreshTokenGrant(config, refreshToken);
    req.user = { ...userOf(tokens), sub };
    req.session.passport.user = req.user;
  });
  return { listener: app };
}

function userOf(tokens) {
  return {
    sub: tokens.claims()?.sub,
    idToken: tokens.id_token,
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresAt: Date.now() + tokens.expires_in * 1000,
  };
}
