import { Agent } from 'node:https';
import express, { type Express } from 'express';
import session, { MemoryStore, type Store } from 'express-session';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { ClientAuthMethod, Provider } from 'oidc-provider';
import {
  type HybridFlow,
  type HybridFlowOptions,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import { type BoundApi, byCertificate, createBoundApi } from './bound-api.ts';
import { type ApiNonces, byKey, createApiNonces } from './bound-by-key.ts';
import { Browser } from './browser.ts';
import { type Certificate, makeCertificate, makeCertificateOf } from './certificate.ts';
import { type CertifiedOp, startCertifiedOp } from './certified-op.ts';
import { type Clock, startClock } from './clock.ts';
import { sealingSecret } from './flow.ts';
import { mutualTlsFeature } from './mutual-tls.ts';

/** Certificates of a test: openssl takes its time. */
export interface Certificates {
  readonly authority: Certificate;
  readonly server: Certificate;
  readonly client: Certificate;
  readonly stranger: Certificate;
}

export async function makeCertificates(): Promise<Certificates> {
  const authority = await makeCertificate('authority.example');
  return {
    authority,
    server: await makeCertificate('localhost', '127.0.0.1'),
    client: await makeCertificateOf(authority, 'client.example'),
    stranger: await makeCertificate('client.example'),
  };
}

/** What a test may change. */
export interface MutualTlsSetup {
  oidc?: Partial<HybridFlowOptions> | undefined;
  /** Metadata of the client at the OP. */
  client: Readonly<Record<string, unknown>>;
  /** Further features and configuration of the OP. */
  features?: Readonly<Record<string, unknown>>;
  clientAuthMethods?: readonly ClientAuthMethod[];
  /** Algorithms of the OP's keys. @default ES256 alone */
  algorithms?: readonly string[];
  /** Teaches the OP more: grants of its own. */
  extend?: (provider: Provider) => void;
  /** Whether certificates are asked for at endpoints of their own. */
  hasAliases?: boolean;
  /** Authorities that the OP knows. @default that of the client's certificate */
  ca?: string;
  routes?: (app: Express, oidc: HybridFlow, apiUrl: string) => void;
}

/**
 * An application, and an OP and an API that ask for its certificate, or the API for a proof, all by real TLS. To a browser application and OP are
 * two sites.
 */
export interface MutualTlsFlow {
  readonly baseUrl: string;
  readonly apiUrl: string;
  readonly op: CertifiedOp;
  readonly api: BoundApi;
  /** That the API wants in proofs, where tokens are bound by DPoP. */
  readonly nonces: ApiNonces & { next(): void };
  readonly clock: Clock;
  readonly browser: Browser;
  /** Paths of the OP that were called with a certificate, by its aliases or not. */
  readonly aliased: string[];
  /** Another process of the application: with the same sessions, and options of its own. */
  startSecond(
    change: Partial<HybridFlowOptions>,
  ): Promise<{ readonly baseUrl: string; close(): Promise<void> }>;
  close(): Promise<void>;
}

export async function startMutualTlsFlow(
  { authority, server, client }: Certificates,
  setup: MutualTlsSetup,
): Promise<MutualTlsFlow> {
  const tls = {
    ...server,
    ca: setup.ca ?? authority.cert,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const app = await listenTls(server);
  const aliases = await listenTls(tls);
  const apiServer = await listenTls(tls);
  const baseUrl = `https://127.0.0.1:${app.port}`;
  const aliasUrl = `https://localhost:${aliases.port}`;
  const op = await startCertifiedOp({
    redirectUris: [`${baseUrl}/callback`],
    postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
    certificate: setup.hasAliases ? server : tls,
    host: 'localhost',
    accessTokenSeconds: 60,
    features: { mTLS: mutualTlsFeature, ...setup.features },
    ...(setup.algorithms ? { algorithms: setup.algorithms } : {}),
    ...(setup.extend ? { extend: setup.extend } : {}),
    configuration: {
      clientAuthMethods: [
        'tls_client_auth',
        'self_signed_tls_client_auth',
        'client_secret_basic',
        'none',
        ...(setup.clientAuthMethods ?? []),
      ],
      ...(setup.hasAliases
        ? {
            discovery: {
              mtls_endpoint_aliases: {
                token_endpoint: `${aliasUrl}/token`,
                revocation_endpoint: `${aliasUrl}/token/revocation`,
              },
            },
          }
        : {}),
    },
    client: {
      tls_client_certificate_bound_access_tokens: true,
      response_types: ['code', 'code id_token'],
      ...setup.client,
    },
  });
  const aliased: string[] = [];
  aliases.server.on('request', (req, res) => {
    aliased.push(req.url ?? '');
    op.answer(req, res);
  });
  const apiUrl = `https://localhost:${apiServer.port}`;
  const nonces = createApiNonces();
  const api = setup.oidc?.dpop
    ? createBoundApi(
        op,
        'DPoP',
        byKey(() => apiUrl, nonces),
      )
    : createBoundApi(op, 'Bearer', byCertificate);
  apiServer.server.on('request', api.listener);
  const clock = startClock();
  const options = {
    issuer: op.issuer,
    clientId: op.clientId,
    tokenEndpointAuthMethod: 'tls_client_auth',
    clientCertificate: { ...client, ca: server.cert },
    certificateBoundAccessTokens: true,
    baseUrl,
    secret: sealingSecret,
    resource: op.audience,
    now: clock.now,
    lock: inProcessLock(),
    ...setup.oidc,
  } as HybridFlowOptions;
  const store = new MemoryStore();
  const appOf = (oidc: HybridFlow): Express =>
    buildApp(setup, oidc, store, apiUrl, { ...client, ca: server.cert });
  app.server.on('request', appOf(hybridFlow(options)));
  const browser = new Browser();
  browser.trusts = server.cert;
  return {
    baseUrl,
    apiUrl,
    op,
    api,
    nonces,
    clock,
    browser,
    aliased,
    async startSecond(change) {
      const second = await listenTls(server);
      const oidc = hybridFlow({ ...options, ...change } as HybridFlowOptions);
      second.server.on('request', appOf(oidc));
      return { baseUrl: `https://127.0.0.1:${second.port}`, close: second.close };
    },
    async close() {
      for (const part of [app, aliases, apiServer, op]) await part.close();
    },
  };
}

function buildApp(
  setup: MutualTlsSetup,
  oidc: HybridFlow,
  store: Store,
  apiUrl: string,
  certificate: object,
): Express {
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
  app.use(oidc.router());
  app.get('/private', oidc.requireAuth(), (req, res) => {
    res.json({ sub: req.oidc.claims.sub });
  });
  app.get('/orders', oidc.requireAuth(), async (req, res) => {
    const answer = await req.oidc.fetch(`${apiUrl}/orders?page=1`);
    res.status(answer.status).json(await answer.json());
  });
  const agent = new Agent(certificate);
  app.use(
    '/api',
    oidc.requireAuth({ proxied: { to: apiUrl } }),
    createProxyMiddleware({ target: apiUrl, agent }),
  );
  app.use('/own-proxy', oidc.proxy({ target: apiUrl }));
  // Without the certificate: what a thief of the token could do.
  app.use(
    '/stolen',
    oidc.requireAuth({ proxied: { to: apiUrl } }),
    createProxyMiddleware({ target: apiUrl, secure: false }),
  );
  setup.routes?.(app, oidc, apiUrl);
  return app;
}
