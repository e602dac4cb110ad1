import { randomBytes } from 'node:crypto';
import type { Express } from 'express';
import { MemoryStore, type Store } from 'express-session';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { type HybridFlow, type HybridFlowOptions, hybridFlow } from 'passport-oidc-hybrid';
import { type BoundApi, createBoundApi } from './bound-api.ts';
import { type ApiNonces, byKey, createApiNonces } from './bound-by-key.ts';
import { buildCertifiedApp, type CertifiedFlow, startCertifiedFlow } from './certified-flow.ts';
import { type Listening, listen } from './listen.ts';

/** What a test may change. */
export interface DpopSetup {
  oidc?: Partial<HybridFlowOptions>;
  /** Whether the OP wants its nonce in proofs. @default true */
  wantsNonces?: boolean;
  /** Of proofs, at the OP. */
  algorithms?: string[];
  store?: Store;
  /** Metadata of the client at the OP. */
  client?: Readonly<Record<string, unknown>>;
  routes?: (app: Express, oidc: HybridFlow, apiUrl: string) => void;
}

/** An application, an OP and an API that verify proofs. */
export interface DpopFlow extends CertifiedFlow {
  readonly apiUrl: string;
  readonly boundApi: BoundApi;
  readonly nonces: ApiNonces & { next(): void };
  /** Another process of the application: with the same sessions, and a memory of its own. */
  startSecond(
    change?: Partial<HybridFlowOptions>,
  ): Promise<Pick<Listening, 'close'> & { baseUrl: string }>;
}

export async function startDpopFlow(setup: DpopSetup = {}): Promise<DpopFlow> {
  const api = await listen();
  const apiUrl = `http://127.0.0.1:${api.port}`;
  const { wantsNonces = true, store = new MemoryStore() } = setup;
  const { algorithms = ['ES256', 'EdDSA', 'Ed25519'] } = setup;
  const routes = (app: Express, oidc: HybridFlow): void => {
    addRoutes(app, oidc, apiUrl);
    setup.routes?.(app, oidc, apiUrl);
  };
  const flow = await startCertifiedFlow({
    oidc: { dpop: true, ...setup.oidc },
    op: {
      features: {
        dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => wantsNonces },
      },
      configuration: {
        clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'none'],
        enabledJWA: { dPoPSigningAlgValues: algorithms as 'ES256'[] },
      },
      client: { response_types: ['code', 'code id_token'], ...setup.client },
    },
    store,
    routes,
  });
  const nonces = createApiNonces();
  const boundApi = createBoundApi(
    flow.op,
    'DPoP',
    byKey(() => apiUrl, nonces),
  );
  api.server.on('request', boundApi.listener);
  return {
    ...flow,
    apiUrl,
    boundApi,
    nonces,
    async startSecond(change = {}) {
      const { port, server, close } = await listen();
      const oidc = hybridFlow({ ...flow.options, ...change } as HybridFlowOptions);
      server.on('request', buildCertifiedApp({ store, routes }, oidc, flow.api));
      return { baseUrl: `http://localhost:${port}`, close };
    },
    async close() {
      await api.close();
      await flow.close();
    },
  };
}

function addRoutes(app: Express, oidc: HybridFlow, apiUrl: string): void {
  app.get('/orders', oidc.requireAuth(), async (req, res) => {
    const answer = await req.oidc.fetch(`${apiUrl}/v1/orders?page=1`);
    res.status(answer.status).json(await answer.json());
  });
  app.get('/post', oidc.requireAuth(), async (req, res) => {
    const answer = await req.oidc.fetch(`${apiUrl}/v1/orders`, { method: 'post', body: 'text' });
    res.status(answer.status).json(await answer.json());
  });
  app.get('/token', oidc.requireAuth(), async (req, res) => {
    res.json(await req.oidc.accessToken());
  });
  app.use('/through', oidc.proxy({ target: `${apiUrl}/v1` }));
  app.use(
    '/dpop',
    oidc.requireAuth({ proxied: { to: `${apiUrl}/v1/` } }),
    createProxyMiddleware({ target: `${apiUrl}/v1` }),
  );
}
