import { Agent } from 'node:http';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session, { MemoryStore } from 'express-session';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createClient } from 'redis';

/** Secret of the session cookies of all applications. */
export const sessionSecret = 'a secret for benchmarks, which signs session cookies';

export const client = { id: 'client', secret: 'the-secret-of-the-client' };

/** What each application asks the OP for. */
export const scope = 'openid profile email offline_access';

/** Where each application sends the visitor after the login. */
export const landingPath = '/';

/**
 * The session store of an application.
 *
 * @param {import('../server.js').Setting} setting
 */
export async function openStore({ storeKind, redisUrl, app }) {
  if (storeKind === 'memory') return { store: new MemoryStore(), redis: undefined };
  const redis = createClient({ url: redisUrl });
  redis.on('error', () => undefined);
  await redis.connect();
  return { store: new RedisStore({ client: redis, prefix: `${app}:` }), redis };
}

/** express-session as all applications use it, but for those whose login needs `SameSite=None`. */
export function sessions(store, { sameSite = 'lax' } = {}) {
  return session({
    secret: sessionSecret,
    resave: false,
    saveUninitialized: false,
    store,
    cookie: { sameSite, secure: 'auto', httpOnly: true, maxAge: 86_400_000 },
  });
}

export function createApp() {
  const app = express();
  app.disable('x-powered-by');
  return app;
}

/** The proxy of all applications, with connections to the API that stay open. */
export function proxyTo(apiUrl) {
  return createProxyMiddleware({
    target: apiUrl,
    agent: new Agent({ keepAlive: true }),
  });
}

/** The page of all applications: the user, and whether the request has a token for the API. */
export function answerPage(res, sub, authorization) {
  res.json({ sub, hasToken: authorization?.startsWith('Bearer ') === true });
}
