import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import express, { type Express } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { createProxyMiddleware } from 'http-proxy-middleware';
import {
  type CommonOptions,
  type HybridFlow,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import { LyingOp } from '../../lib/testing/lying-op.ts';
import type { Certificate } from './certificate.ts';
import { sealingSecret } from './flow.ts';
import { type Listening, listen } from './listen.ts';
import { createLoopbackFetch } from './loopback-fetch.ts';

/** What a test in a real browser says about its site. */
export interface BrowserSiteSetup {
  /** Makes it https://rp.example, with the OP at https://op.test; else http on loopback. */
  certificate?: Certificate | undefined;
  /** Host of the site over http; the OP is at the other. @default 'localhost' */
  host?: 'localhost' | '127.0.0.1';
  sameSite?: 'lax' | 'strict';
  /** Path of the site on its host. */
  path?: string;
  /** `cookie.secure` of the session. @default 'auto' */
  secure?: boolean | 'auto';
  /**
   * Has a proxy in front of it end TLS; `trust proxy` of the application is set or is not.
   *
   * @default 'none'
   */
  proxy?: 'none' | 'trusted' | 'not trusted';
  /** @default 'a MemoryStore' */
  store?: session.Store | undefined;
  /** Further routes. */
  routes?: (app: Express, oidc: HybridFlow) => void;
  /** Name of the session cookie, for two sites on one host. */
  sessionCookie?: string;
  oidc?: Partial<CommonOptions>;
}

/** What a site has seen and done. */
export interface SiteRecord {
  /** Every URL that it was asked for, and every Referer. */
  readonly seenUrls: string[];
  /** Every URL that it has answered. */
  readonly answeredUrls: string[];
  /** Every cookie that it has set, with its attributes. */
  readonly setCookies: string[];
}

/** A site behind a default helmet, and an OP that is another site to browsers. */
export interface BrowserSite extends SiteRecord {
  readonly origin: string;
  /** With the path. */
  readonly baseUrl: string;
  readonly op: LyingOp;
  readonly oidc: HybridFlow;
  readonly sessionCookie: string;
  /** Resolves when the next request for a URL that begins so has come. */
  asked(start: string): Promise<void>;
  close(): Promise<void>;
}

/** Which names are this machine, for `startChromium`. */
export const hostRules = 'MAP *.test 127.0.0.1, MAP *.example 127.0.0.1';

/** Names that a certificate for such sites needs; the last is another one of the application. */
export const siteNames: [string, ...string[]] = ['rp.example', 'op.test', 'www.rp.example'];

export async function startBrowserSite(setup: BrowserSiteSetup = {}): Promise<BrowserSite> {
  const { certificate, host = 'localhost' } = setup;
  const listening = certificate ? await listenTls(certificate) : await listen();
  const origin = certificate
    ? `https://rp.example:${listening.port}`
    : `http://${host}:${listening.port}`;
  const baseUrl = `${origin}${setup.path ?? ''}`;
  const otherHost = host === 'localhost' ? '127.0.0.1' : 'localhost';
  const op = await LyingOp.start(
    Date.now,
    certificate ? { certificate, host: 'op.test' } : { host: otherHost },
  );
  const loopback = createLoopbackFetch(certificate?.cert);
  const oidc = hybridFlow({
    issuer: op.issuer,
    clientId: op.clientId,
    clientSecret: op.clientSecret,
    baseUrl,
    secret: sealingSecret,
    fetch: loopback.fetch,
    lock: inProcessLock(),
    ...setup.oidc,
  });
  const sessionCookie = setup.sessionCookie ?? (certificate ? '__Host-sid' : 'sid');
  const record: SiteRecord = { seenUrls: [], answeredUrls: [], setCookies: [] };
  const bank = await startBank();
  const bankUrl = `http://127.0.0.1:${bank.port}/`;
  const app = buildApp(setup, oidc, { sessionCookie, bankUrl, ...record });
  const inner = await serve(app, listening.server, setup.proxy);
  const asked = (start: string): Promise<void> =>
    new Promise((resolve) => {
      const listener = ({ url = '' }: IncomingMessage): void => {
        if (!url.startsWith(start)) return;
        listening.server.off('request', listener);
        resolve();
      };
      listening.server.on('request', listener);
    });
  return {
    origin,
    baseUrl,
    op,
    oidc,
    ...record,
    sessionCookie,
    asked,
    async close() {
      await listening.close();
      await inner?.close();
      await bank.close();
      await op.stop();
      await loopback.close();
    },
  };
}

/** A site that has nothing to do with the other, with pages that have a link. */
export interface OtherSite {
  /** A page with a link to a URL. */
  linkTo(url: string): string;
  close(): Promise<void>;
}

/** @param certificate as that of the {@link BrowserSite}, which is at `localhost` without one */
export async function startOtherSite(certificate?: Certificate): Promise<OtherSite> {
  const listening = certificate ? await listenTls(certificate) : await listen();
  const origin = certificate
    ? `https://op.test:${listening.port}`
    : `http://127.0.0.1:${listening.port}`;
  listening.server.on('request', ({ url = '' }: IncomingMessage, res: ServerResponse) => {
    const to = new URL(url, origin).searchParams.get('to');
    res.setHeader('Content-Type', 'text/html');
    res.end(`<!doctype html><title>Mail</title><a href="${to?.replaceAll('"', '')}">Read it</a>`);
  });
  return {
    linkTo: (url) => `${origin}/?to=${encodeURIComponent(url)}`,
    close: listening.close,
  };
}

/** The application itself is what listens, or it is behind a proxy that does. */
async function serve(
  app: Express,
  server: Server | TlsServer,
  proxy: BrowserSiteSetup['proxy'] = 'none',
): Promise<Listening | undefined> {
  if (proxy === 'none') {
    server.on('request', app);
    return undefined;
  }
  const inner = await listen(app);
  const target = `http://127.0.0.1:${inner.port}`;
  server.on('request', createProxyMiddleware({ target, xfwd: true }));
  return inner;
}

/** An API that wants users who have signed in by two factors. RFC 9470 3. */
function startBank(): Promise<Listening> {
  return listen((req, res) => {
    if (req.headers['x-acr'] !== 'mfa') {
      const challenge =
        'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="60"';
      res.writeHead(401, { 'WWW-Authenticate': challenge });
    }
    res.end();
  });
}

function buildApp(
  { sameSite = 'lax', path, secure = 'auto', proxy, store, routes }: BrowserSiteSetup,
  oidc: HybridFlow,
  {
    sessionCookie,
    bankUrl,
    seenUrls,
    answeredUrls,
    setCookies,
  }: SiteRecord & { sessionCookie: string; bankUrl: string },
): Express {
  const app = express();
  app.set('trust proxy', proxy === 'trusted' ? 1 : false);
  app.use((req, res, next) => {
    seenUrls.push(req.originalUrl, req.headers.referer ?? '');
    res.once('finish', () => {
      answeredUrls.push(req.originalUrl);
      setCookies.push(...[res.getHeader('Set-Cookie') ?? []].flat().map(String));
    });
    next();
  });
  app.use(helmet());
  app.use(
    session({
      name: sessionCookie,
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      cookie: { sameSite, secure },
      ...(store === undefined ? {} : { store }),
    }),
  );
  app.use(oidc.router());
  app.get('/', oidc.optionalAuth(), (req, res) => {
    res.send(page(req.oidc ? `Hello ${req.oidc.claims.sub}` : 'Nobody', req.session.basket));
  });
  app.get('/ahead', (_req, res) => {
    res.set('Content-Security-Policy', "default-src 'self'; script-src 'inline-speculation-rules'");
    const urls = ['private/fetched-ahead'];
    const rules = { prefetch: [{ source: 'list', urls, eagerness: 'immediate' }] };
    res.send(
      `<!doctype html><title>Ahead</title><a href="/private/fetched-ahead">On</a><script type="speculationrules">${JSON.stringify(rules)}</script>`,
    );
  });
  app.get('/cart', (req, res) => {
    req.session.basket = ['tea'];
    res.redirect('/');
  });
  app.get('/news', oidc.optionalAuth({ silentLogin: true }), (req, res) => {
    res.send(page(`News for ${req.oidc?.claims.sub ?? 'everybody'}`, req.session.basket));
  });
  app.use('/private', oidc.requireAuth(), (req, res) => {
    res.send(page(`Private of ${req.oidc?.claims.sub}`, req.session.basket));
  });
  app.get('/api', oidc.requireAuth(), (req, res) => {
    res.json({ isBearer: req.headers.authorization?.startsWith('Bearer ') });
  });
  app.get('/transfer', oidc.requireAuth(), async (req, res, next) => {
    const { acr = 'one factor' } = req.oidc?.claims ?? {};
    await req.oidc?.fetch(bankUrl, { headers: { 'x-acr': String(acr) } }).then(({ status }) => {
      res.send(page(`Transfer ${status} of ${req.oidc?.claims.sub}`, req.session.basket));
    }, next);
  });
  const login = { acrValues: 'hwk', maxAge: 60 };
  app.get('/vault', oidc.requireAuth({ login }), (req, res) => {
    res.send(page(`Vault by ${req.oidc?.claims['acr']}`, req.session.basket));
  });
  app.get('/away', oidc.requireAuth({ accessToken: false }), (req, res) => {
    res.redirect(`${req.oidc?.claims.iss}/jwks`);
  });
  routes?.(app, oidc);
  app.use(oidc.errorHandler());
  return path === undefined ? app : express().use(path, app);
}

function page(title: string, basket: readonly string[] | undefined): string {
  return `<!doctype html><title>${title}</title><h1>${title}</h1><p id="cart">${basket ?? 'nothing'}</p>
    <a href="/cart">Buy tea</a> <a href="/private">Private</a> <a href="/logout">Sign out</a>`;
}
