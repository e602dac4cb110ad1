import { type PingOneOptions, pingOne, type RequireAuthOptions } from 'passport-oidc-hybrid';
import { type PingOneOp, type PingOneOpOptions, startPingOneOp } from './pingone-op.ts';
import { type ProviderFlow, startProviderFlow } from './provider-flow.ts';

/** An application by the preset, at the stand-in, whose issuer is in place of the region's. */
export function startPingOneFlow(
  options: Partial<PingOneOptions> | ((op: PingOneOp) => Partial<PingOneOptions>) = {},
  application: PingOneOpOptions['client'] = {},
  guard: RequireAuthOptions = {},
): Promise<ProviderFlow<PingOneOp>> {
  return startProviderFlow({
    startOp: (addresses) => startPingOneOp({ ...addresses, client: application }),
    options: (op, common) =>
      pingOne({
        environmentId: op.environmentId,
        clientId: op.clientId,
        clientSecret: op.clientSecret,
        ...common,
        ...(typeof options === 'function' ? options(op) : options),
      } as PingOneOptions),
    routes: (app, oidc) => {
      app.get('/again', oidc.login({ prompt: 'login' }));
      app.get('/guarded', oidc.requireAuth(guard), (req, res) => {
        res.json(req.oidc?.claims);
      });
    },
  });
}
