import { RedisStore } from 'connect-redis';
import type { RequestHandler } from 'express';
import session from 'express-session';
import { type Lock, redisLock } from 'passport-oidc-hybrid';
import { createClient } from 'redis';
import { PageError } from './error-pages.ts';
import { type Settings, SettingsError } from './settings.ts';

export interface Sessions {
  readonly middleware: RequestHandler;
  /** Shared by all processes that share the sessions; `undefined` where there is but one. */
  readonly lock: Lock | undefined;
  readonly close: () => Promise<void>;
}

/** Opens the session store, Redis where `REDIS_URL` is set, and makes the session middleware. */
export async function openSessions(settings: Settings): Promise<Sessions> {
  if (settings.redisUrl === undefined) {
    return { middleware: createMiddleware(settings), lock: undefined, close: async () => {} };
  }
  const client = await connectRedis(settings.redisUrl);
  return {
    middleware: createMiddleware(settings, new RedisStore({ client, prefix: 'halyard:' })),
    lock: redisLock(client),
    close: () => client.close(),
  };
}

async function connectRedis(url: string) {
  let hasConnected = false;
  const client = createClient({
    url,
    // While Redis is away, a request fails at once instead of waiting for it in a queue.
    disableOfflineQueue: true,
    socket: {
      // A wrong REDIS_URL ends the start; a connection that was once there is sought for ever.
      reconnectStrategy: (retries, cause) =>
        hasConnected ? Math.min(50 * 2 ** Math.min(retries, 6), 2000) : cause,
    },
  });
  // Without a listener, the first lost connection would be an uncaught error and end the process.
  client.on('error', (error: unknown) => {
    if (hasConnected) console.error(`redis: ${describe(error)}`);
  });
  await client.connect().catch((error: unknown) => {
    throw new SettingsError(`REDIS_URL: no answer from Redis (${describe(error)})`);
  });
  hasConnected = true;
  return client;
}

function createMiddleware(settings: Settings, store?: session.Store): RequestHandler {
  const middleware = session({
    name: 'halyard.sid',
    secret: settings.sessionSecret,
    resave: false,
    saveUninitialized: false,
    // Lax is enough, though the OP's answer is a cross-site POST that does not carry the cookie:
    // the callback does not touch the session before the browser has come back by a GET.
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
    ...(store ? { store } : {}),
  });
  return function sessionOrOutage(req, res, next) {
    middleware(req, res, (error?: unknown) => {
      // Nobody is taken for signed out because the store is: that would lose a cart, too.
      next(error && new PageError(503, 'The shop cannot reach its sessions just now.', error));
    });
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
