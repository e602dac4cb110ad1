import { type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import { type Flow, sealingSecret, startFlow } from './flow.ts';

/** Two OPs on one application: the second under its own paths and its own session key. */
export async function startTwoFlows(
  oidc: Partial<CommonOptions> = {},
): Promise<{ flow: Flow; second: LyingOp }> {
  const second = await LyingOp.start();
  const flow = await startFlow({
    oidc,
    routes: (app, first) => {
      const other = hybridFlow({
        issuer: second.issuer,
        clientId: second.clientId,
        clientSecret: second.clientSecret,
        baseUrl: `http://localhost:${app.locals['port']}`,
        secret: sealingSecret,
        sessionKey: 'second',
        loginPath: '/second/login',
        callbackPath: '/second/callback',
        logoutPath: '/second/logout',
        postLogoutPath: '/second/logout/callback',
        ...oidc,
      });
      app.use(other.router());
      app.get('/both', first.requireAuth(), other.requireAuth(), (_req, res) => void res.json({}));
      app.get('/second', other.requireAuth(), (req, res) => {
        res.json({ sub: req.oidc?.claims.sub, cart: req.session.basket ?? [] });
      });
    },
  });
  return { flow, second };
}
