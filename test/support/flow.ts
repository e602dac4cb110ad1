import express, { type ErrorRequestHandler, type Express } from 'express';
import session, { MemoryStore, type SessionOptions, type Store } from 'express-session';
import {
  type CommonOptions,
  type HybridFlow,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import { type Arrival, Browser } from './browser.ts';
import { type Clock, startClock } from './clock.ts';
import { listen } from './listen.ts';

declare module 'express-session' {
  interface SessionData {
    basket?: string[];
  }
}

import { watchOutput } from './output-watch.ts';

/** What a test may change in the application around the flow. */
export interface FlowSetup {
  oidc?: Partial<CommonOptions> & {
    clientSecret?: string;
    tokenEndpointAuthMethod?:
      | 'client_secret_basic'
      | 'client_secret_post'
      | 'client_secret_jwt'
      | undefined;
  };
  session?: Partial<SessionOptions>;
  /** Path of the base URL, under which the application is mounted. */
  path?: string;
  /** Whether the OP is on the application's own site. */
  isSameSite?: boolean;
  /** Between the session and the router. */
  before?: (app: Express) => void;
  /** In place of the router. */
  router?: (app: Express, oidc: HybridFlow) => void;
  /** After the router. */
  routes?: (app: Express, oidc: HybridFlow) => void;
  /** Another OP than a new one. */
  op?: LyingOp;
  store?: Store;
  /** Another clock than one that stands still. */
  clock?: Clock;
  expressModule?: typeof express;
}

/** An application, its OP and a browser. */
export interface Flow {
  readonly op: LyingOp;
  readonly clock: Clock;
  readonly oidc: HybridFlow;
  readonly store: Store;
  readonly baseUrl: string;
  /** Where it listens, if `baseUrl` is another's. */
  readonly listensAt: string;
  readonly browser: Browser;
  /** What reached the application's error handler. */
  readonly errors: unknown[];
  /** A whole login, by a page that needs one. */
  signIn(browser?: Browser, path?: string): Promise<Arrival>;
  /** Keys of the session store. */
  storeKeys(): Promise<string[]>;
  /** Those of sessions and logins: not what is remembered of logins and logouts for a while. */
  loginKeys(): Promise<string[]>;
  close(): Promise<void>;
}

export const sealingSecret = 'a secret for tests, which seals cookies and tokens';

/**
 * Starts an application whose base URL is on `localhost`, with an OP on `127.0.0.1`: to a browser
 * these are two sites, as in production.
 */
export async function startFlow(setup: FlowSetup = {}): Promise<Flow> {
  const clock = setup.clock ?? startClock();
  const op = setup.op ?? (await LyingOp.start(clock.now));
  watchOutput(op, sealingSecret);
  const store = setup.store ?? new MemoryStore();
  const errors: unknown[] = [];
  const listening = await listen();
  const host = setup.isSameSite ? '127.0.0.1' : 'localhost';
  const baseUrl = `http://${host}:${listening.port}${setup.path ?? ''}`;
  const oidc = hybridFlow({
    issuer: op.issuer,
    clientId: op.clientId,
    clientSecret: op.clientSecret,
    baseUrl,
    secret: sealingSecret,
    now: clock.now,
    // One process: said, so that no store of a test is warned of.
    lock: inProcessLock(),
    ...setup.oidc,
  });
  const app = buildApp(setup, oidc, store, errors, listening.port);
  listening.server.on('request', app);
  const browser = new Browser();
  return {
    op,
    clock,
    oidc,
    store,
    baseUrl,
    listensAt: `http://127.0.0.1:${listening.port}`,
    browser,
    errors,
    signIn: (other = browser, path = '/private') => other.navigate(`${baseUrl}${path}`),
    storeKeys: () => keysOf(store),
    loginKeys: async () =>
      (await keysOf(store)).filter((key) => !/^oidc:(once|ended|login):/.test(key)),
    async close() {
      await listening.close();
      if (setup.op === undefined) await op.stop();
    },
  };
}

function buildApp(
  setup: FlowSetup,
  oidc: HybridFlow,
  store: Store,
  errors: unknown[],
  port: number,
): Express {
  const make = setup.expressModule ?? express;
  const inner = make();
  inner.locals['port'] = port;
  inner.use(
    session({
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      store,
      cookie: { sameSite: 'lax', secure: 'auto' },
      ...setup.session,
    }),
  );
  setup.before?.(inner);
  if (setup.router) setup.router(inner, oidc);
  else inner.use(oidc.router());
  inner.get('/', oidc.optionalAuth(), (req, res) => {
    res.json({ claims: req.oidc?.claims ?? null, cart: req.session.basket ?? [] });
  });
  inner.get('/cart/:item', (req, res) => {
    req.session.basket = [...(req.session.basket ?? []), req.params.item];
    res.json({ cart: req.session.basket });
  });
  inner.get('/private', oidc.requireAuth(), (req, res) => {
    res.json({
      sub: req.oidc?.claims.sub,
      cart: req.session.basket ?? [],
      authorization: req.headers.authorization,
    });
  });
  inner.use('/api', oidc.requireAuth(), (req, res) => {
    const { rawHeaders, headersDistinct } = req;
    const { authorization } = req.headers;
    res.json({ authorization, rawHeaders, distinct: headersDistinct['authorization'] });
  });
  setup.routes?.(inner, oidc);
  const record: ErrorRequestHandler = (error, _req, res, _next) => {
    errors.push(error);
    res.status(500).json({ unexpected: String(error) });
  };
  inner.use(record);
  if (setup.path === undefined) return inner;
  return make().use(setup.path, inner);
}

function keysOf(store: Store): Promise<string[]> {
  return new Promise((resolve, reject) => {
    store.all?.((error, sessions) => {
      if (error) reject(error);
      else resolve(Object.keys(sessions ?? {}));
    });
  });
}

/** The JSON of an answer. */
export function json(visit: { text: string }): Record<string, unknown> {
  return JSON.parse(visit.text);
}

/** The error code on a page, or in problem details. */
export function errorCode(visit: { text: string }): string | undefined {
  return /ERR_OIDC_[A-Z_]+/.exec(visit.text)?.[0];
}
