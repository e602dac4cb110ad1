import express, { type Express } from 'express';
import session, { MemoryStore } from 'express-session';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import { Browser, type Hop } from './browser.ts';
import type { Certificate } from './certificate.ts';
import { type CertifiedOp, startCertifiedOp } from './certified-op.ts';
import { type Clock, startClock } from './clock.ts';
import { type ResourceServer, startResourceServer } from './resource-server.ts';

type Name = 'ada' | 'bob';

/** What a test says about two OPs and the application between them. */
export interface CertifiedPairSetup {
  /** Where the two are on the host of the application; each has its callback below. */
  paths: Readonly<Record<Name, string>>;
  /** Whether both are clients of one OP. */
  isOneOp?: boolean;
  /** Mounts them, behind the session. */
  build: (app: Express, pair: CertifiedPair) => void;
}

/** Two certified OPs and one application, all by TLS. Each OP signs in one user, and has an API of its own. */
export interface CertifiedPair {
  /** The origin of the application. */
  readonly origin: string;
  readonly urls: Readonly<Record<Name, string>>;
  readonly ops: Readonly<Record<Name, CertifiedOp>>;
  readonly apis: Readonly<Record<Name, ResourceServer>>;
  readonly clock: Clock;
  readonly browser: Browser;
  /** For the option `fetch`: trusts the certificate of the OPs. */
  readonly fetch: typeof globalThis.fetch;
  /** How often a URL was asked for by it. */
  count(url: string): number;
  /** A browser that knows the certificate, too. */
  newBrowser(): Browser;
  close(): Promise<void>;
}

export async function startCertifiedPair(
  certificate: Certificate,
  { paths, isOneOp = false, build }: CertifiedPairSetup,
): Promise<CertifiedPair> {
  const listening = await listenTls(certificate);
  const origin = `https://127.0.0.1:${listening.port}`;
  const urls = { ada: `${origin}${paths.ada}`, bob: `${origin}${paths.bob}` };
  const common = {
    certificate,
    host: 'localhost',
    accessTokenSeconds: 60,
    features: { jwtResponseModes: { enabled: true } },
    client: { authorization_signed_response_alg: 'ES256' },
  };
  const ada = await startCertifiedOp({
    ...common,
    redirectUris: [`${urls.ada}/callback`],
    postLogoutRedirectUris: [],
    clients: isOneOp ? { 'client-of-bob': { redirect_uris: [`${urls.bob}/callback`] } } : {},
  });
  const other = await startCertifiedOp({
    ...common,
    redirectUris: [`${urls.bob}/callback`],
    postLogoutRedirectUris: [],
    subject: 'bob',
  });
  const bob = isOneOp ? { ...ada, clientId: 'client-of-bob' } : other;
  const apis = {
    ada: await startResourceServer({ op: ada }),
    bob: await startResourceServer({ op: bob }),
  };
  const asked: string[] = [];
  const newBrowser = (): Browser => Object.assign(new Browser(), { trusts: certificate.cert });
  const pair: CertifiedPair = {
    origin,
    urls,
    ops: { ada, bob },
    apis,
    clock: startClock(),
    browser: newBrowser(),
    fetch(input, init) {
      asked.push(String(input));
      return ada.fetch(input, init);
    },
    count: (url) => asked.filter((one) => one === url).length,
    newBrowser,
    async close() {
      for (const part of [listening, apis.ada, apis.bob, other, ada]) await part.close();
    },
  };
  const app = express();
  app.use(
    session({
      secret: 'a secret for tests, which signs session cookies',
      resave: false,
      saveUninitialized: false,
      store: new MemoryStore(),
      cookie: { sameSite: 'lax', secure: 'auto' },
    }),
  );
  build(app, pair);
  listening.server.on('request', app);
  return pair;
}

/** Whether the browser is about to bring an answer of an OP. */
export const toCallback = ({ url }: Hop): boolean => url.includes('/callback');

/**
 * A true answer of one OP, or client, to the request that another was sent: as an OP gets it that the user was led to,
 * with state, nonce and all.
 */
export async function answerOfOther(
  { ops, urls, newBrowser }: CertifiedPair,
  asked: Hop,
  other: Name = 'bob',
): Promise<Hop> {
  const { searchParams } = new URL(asked.url);
  searchParams.set('client_id', ops[other].clientId);
  searchParams.set('redirect_uri', `${urls[other]}/callback`);
  const { next } = await newBrowser().navigate(
    `${ops[other].issuer}/auth?${searchParams}`,
    toCallback,
  );
  if (next === undefined) throw new Error('the other OP has not answered');
  return next;
}
