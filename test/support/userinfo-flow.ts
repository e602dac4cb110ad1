import { type Flow, startFlow } from './flow.ts';

/** A flow that asks UserInfo at login, and shows at `/loaded` what it has kept of that. */
export function startUserinfoFlow(): Promise<Flow> {
  return startFlow({
    oidc: { loadUserinfo: ['name', 'email', '_claim_names'] },
    routes: (app, { requireAuth }) =>
      app.get('/loaded', requireAuth(), (req, res) => {
        res.json(req.oidc.loadedUserinfo);
      }),
  });
}
