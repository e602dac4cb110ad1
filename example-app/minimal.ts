// Sign-in, a page and an API in one file. ISSUER, CLIENT_ID, CLIENT_SECRET, BASE_URL, OIDC_SECRET and SESSION_SECRET
// come from the environment: node --env-file=.env example-app/dist/minimal.js
import express, { type Express } from 'express';
import session from 'express-session';
import { hybridFlow } from 'passport-oidc-hybrid';

const read = (environment: NodeJS.ProcessEnv, name: string): string => environment[name] ?? '';

export function createMinimalApp(environment: NodeJS.ProcessEnv): Express {
  const oidc = hybridFlow({
    issuer: read(environment, 'ISSUER'),
    clientId: read(environment, 'CLIENT_ID'),
    clientSecret: read(environment, 'CLIENT_SECRET'),
    baseUrl: read(environment, 'BASE_URL'),
    secret: read(environment, 'OIDC_SECRET'),
  });
  const app = express();
  const secret = read(environment, 'SESSION_SECRET');
  const cookie = { sameSite: 'lax', secure: 'auto' } as const;
  app.use(session({ secret, resave: false, saveUninitialized: false, cookie }));
  app.use(oidc.router());
  app.get('/', oidc.optionalAuth(), (req, res) => {
    const links = req.oidc
      ? '<a href="/me">Me</a> <a href="/logout">Sign out</a>'
      : '<a href="/login">Sign in</a>';
    res.send(`<!doctype html><title>Minimal</title>${links}`);
  });
  app.get('/me', oidc.requireAuth({ accessToken: false }), (req, res) => res.json(req.oidc.claims));
  app.use(oidc.errorHandler());
  return app;
}

if (process.argv[1] === import.meta.filename)
  createMinimalApp(process.env).listen(3000, '127.0.0.1');
