import express, { type Express } from 'express';
import session, { MemoryStore, type Store } from 'express-session';
import helmet from 'helmet';
import { createProxyMiddleware } from 'http-proxy-middleware';
import {
  type HybridFlow,
  type HybridFlowOptions,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import type { Certificate } from './certificate.ts';
import { type CertifiedOp, type CertifiedOpOptions, startCertifiedOp } from './certified-op.ts';
import { type Clock, startClock } from './clock.ts';
import { sealingSecret } from './flow.ts';
import { type Listening, listen } from './listen.ts';
import { type ResourceServer, startResourceServer } from './resource-server.ts';

/** What a test may change. */
export interface CertifiedFlowSetup {
  oidc?: Partial<HybridFlowOptions>;
  /** What the OP does beyond the ordinary. */
  op?: Pick<CertifiedOpOptions, 'configuration' | 'features' | 'client' | 'extend'>;
  expressModule?: typeof express;
  /** Has application and OP speak TLS, by this certificate for `localhost` and 127.0.0.1. */
  certificate?: Certificate;
  store?: Store;
  accessTokenSeconds?: number;
  /** After all others. */
  routes?: (app: Express, oidc: HybridFlow) => void;
}

/** An application with a default helmet and a proxied API, at a certified OP. */
export interface CertifiedFlow {
  readonly baseUrl: string;
  readonly op: CertifiedOp;
  readonly api: ResourceServer;
  readonly clock: Clock;
  /** The options of the flow, for a second process. */
  readonly options: HybridFlowOptions;
  close(): Promise<void>;
}

export async function startCertifiedFlow(setup: CertifiedFlowSetup = {}): Promise<CertifiedFlow> {
  const { certificate } = setup;
  const listening = certificate ? await listenTls(certificate) : await listen();
  const baseUrl = certificate
    ? `https://127.0.0.1:${listening.port}`
    : `http://localhost:${listening.port}`;
  const op = await startCertifiedOp({
    ...(certificate ? { certificate, host: 'localhost' } : {}),
    redirectUris: [`${baseUrl}/callback`],
    postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
    accessTokenSeconds: setup.accessTokenSeconds ?? 60,
    ...setup.op,
    ...(setup.oidc?.backchannelLogout
      ? { backchannelLogoutUri: `${baseUrl}/backchannel-logout` }
      : {}),
  });
  const api = await startResourceServer({ op });
  const clock = startClock();
  const options = {
    issuer: op.issuer,
    clientId: op.clientId,
    clientSecret: op.clientSecret,
    baseUrl,
    secret: sealingSecret,
    resource: op.audience,
    now: clock.now,
    lock: inProcessLock(),
    ...(certificate ? { fetch: op.fetch } : {}),
    ...setup.oidc,
  } as HybridFlowOptions;
  const oidc = hybridFlow(options);
  listening.server.on('request', buildCertifiedApp(setup, oidc, api));
  return { baseUrl, op, api, clock, options, close: () => closeAll(listening, op, api) };
}

async function closeAll(...closing: Pick<Listening, 'close'>[]): Promise<void> {
  for (const part of closing) await part.close();
}

/** The application of {@link startCertifiedFlow}, at any OP. */
export function buildCertifiedApp(
  setup: CertifiedFlowSetup,
  oidc: HybridFlow,
  api: ResourceServer,
): Express {
  const app = (setup.expressModule ?? express)();
  app.use(helmet());
  app.use(
    session({
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      store: setup.store ?? new MemoryStore(),
      cookie: { sameSite: 'lax', secure: 'auto' },
    }),
  );
  app.use(oidc.router());
  app.get('/', oidc.optionalAuth(), (req, res) => {
    res.json({ sub: req.oidc?.claims.sub ?? null });
  });
  app.get('/profile', oidc.requireAuth(), (req, res) => {
    res.json(req.oidc?.claims);
  });
  app.use(
    '/api',
    oidc.requireAuth({ proxied: { to: api.url } }),
    createProxyMiddleware({ target: api.url }),
  );
  setup.routes?.(app, oidc);
  return app;
}
