import { type Auth0Options, auth0, type RequireAuthOptions } from 'passport-oidc-hybrid';
import { type Auth0Op, type Auth0OpOptions, startAuth0Op } from './auth0-op.ts';
import { type ProviderFlow, startProviderFlow } from './provider-flow.ts';

/** An application by the preset; the stand-in's issuer is in place of the one of the domain. */
export function startAuth0Flow(
  options: Partial<Auth0Options> = {},
  tenant: Partial<Auth0OpOptions> = {},
  guard: RequireAuthOptions = {},
): Promise<ProviderFlow<Auth0Op>> {
  return startProviderFlow({
    startOp: (addresses) => startAuth0Op({ ...addresses, ...tenant }),
    options: (op, common) =>
      auth0({
        domain: 'tenant.eu.auth0.com',
        clientId: op.clientId,
        clientSecret: op.clientSecret,
        audience: op.audience,
        scope: 'openid profile email offline_access orders:read orders:write',
        ...common,
        ...options,
      } as Auth0Options),
    routes: (app, oidc) => {
      app.get('/guarded', oidc.requireAuth(guard), (req, res) => {
        res.json(req.oidc?.claims);
      });
      app.get('/scope', oidc.requireAuth(), async (req, res) => {
        const token = await req.oidc?.accessToken({ scope: String(req.query['scope']) });
        res.json(token?.scope);
      });
      app.use(oidc.errorHandler());
    },
  });
}
