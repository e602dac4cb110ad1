import express, { type ErrorRequestHandler, type Express } from 'express';
import session, { MemoryStore, type Store } from 'express-session';
import {
  type ResolveClient,
  type TenantClient,
  type TenantFlows,
  type TenantFlowsOptions,
  tenantFlows,
} from 'passport-oidc-hybrid';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import { Browser } from './browser.ts';
import { type Clock, startClock } from './clock.ts';
import { sealingSecret } from './flow.ts';
import { listen } from './listen.ts';

/** What a test may change. */
export interface TenantsSetup {
  oidc?: Partial<TenantFlowsOptions>;
  /** In place of a look at the host. */
  resolve?: (rig: Tenants) => ResolveClient;
  /** One OP for both tenants. */
  isOneOp?: boolean;
  /** In place of the router. */
  router?: (app: Express, oidc: TenantFlows) => void;
  routes?: (app: Express, oidc: TenantFlows) => void;
}

/** An application with two tenants at two hosts, each with an OP. */
export interface Tenants {
  readonly oidc: TenantFlows;
  readonly store: Store;
  readonly clock: Clock;
  readonly browser: Browser;
  readonly port: number;
  readonly errors: unknown[];
  /** By their hosts; a test may change them. */
  readonly clients: Map<string, TenantClient>;
  readonly ops: { readonly ada: LyingOp; readonly bob: LyingOp };
  /** Base URLs. To browsers, and to cookies, they are two sites. */
  readonly urls: { readonly ada: string; readonly bob: string };
  close(): Promise<void>;
}

/** Tenant `ada` is at `localhost`, tenant `bob` at `127.0.0.1`; their users have the same names. */
export async function startTenants(setup: TenantsSetup = {}): Promise<Tenants> {
  const clock = startClock();
  const ada = await LyingOp.start(clock.now);
  const bob = setup.isOneOp ? ada : await LyingOp.start(clock.now);
  if (!setup.isOneOp) {
    ada.clientId = 'client-of-ada';
    bob.clientId = 'client-of-bob';
    bob.subject = 'bob';
  }
  const listening = await listen();
  const { port } = listening;
  const store = new MemoryStore();
  const urls = { ada: `http://localhost:${port}`, bob: `http://127.0.0.1:${port}` };
  const clients = new Map([
    [`localhost:${port}`, clientOf('ada', ada, urls.ada)],
    [`127.0.0.1:${port}`, clientOf('bob', bob, urls.bob)],
  ]);
  const rig = { store, clock, port, urls, clients, errors: [], ops: { ada, bob } };
  const byHost: ResolveClient = (req) => clients.get(req.headers.host ?? '');
  const whole: { rig?: Tenants } = {};
  const oidc = tenantFlows({
    secret: sealingSecret,
    now: clock.now,
    // The OPs of both are on this machine.
    dangerouslyAllowInsecureRequests: true,
    resolveClient: (req) =>
      setup.resolve ? setup.resolve(whole.rig as Tenants)(req) : byHost(req),
    ...setup.oidc,
  });
  const tenants: Tenants = {
    ...rig,
    oidc,
    browser: new Browser(),
    async close() {
      await listening.close();
      await ada.stop();
      if (bob !== ada) await bob.stop();
    },
  };
  whole.rig = tenants;
  listening.server.on('request', buildApp(setup, tenants));
  return tenants;
}

function clientOf(id: string, op: LyingOp, baseUrl: string): TenantClient {
  const { issuer, clientId, clientSecret } = op;
  return { id, issuer, clientId, clientSecret, baseUrl };
}

function buildApp(setup: TenantsSetup, { oidc, store, errors }: Tenants): Express {
  const app = express();
  app.use(
    session({
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      store,
      cookie: { sameSite: 'lax', secure: 'auto' },
    }),
  );
  if (setup.router) setup.router(app, oidc);
  else app.use(oidc.router());
  app.get('/open', oidc.optionalAuth(), (req, res) => {
    res.json({ sub: req.oidc?.claims.sub ?? null, cart: req.session.basket ?? [] });
  });
  app.get('/cart/:item', (req, res) => {
    req.session.basket = [...(req.session.basket ?? []), req.params.item];
    res.json({ cart: req.session.basket });
  });
  app.use('/private', oidc.requireAuth(), (req, res) => {
    const { authorization } = req.headers;
    res.json({
      sub: req.oidc?.claims.sub,
      iss: req.oidc?.claims.iss,
      authorization,
      cart: req.session.basket ?? [],
    });
  });
  app.get('/late', oidc.requireAuth({ accessToken: false }), async (req, res) => {
    await req.oidc?.accessToken();
    res.json({ ok: true });
  });
  setup.routes?.(app, oidc);
  app.use(oidc.errorHandler());
  const record: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error);
    res.status(500).json({ unexpected: String(error) });
  };
  app.use(record);
  return app;
}
