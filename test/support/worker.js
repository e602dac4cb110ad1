// One process of several that serve the same application: express-session in Redis, a shared lock.
// Runs the built package, as a process of its own cannot run the sources on every Node.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';

const settings = JSON.parse(process.env.WORKER_SETTINGS);
const { hybridFlow, redisLock } = await import(pathToFileURL(settings.library).href);

const client = createClient({ url: settings.redisUrl });
client.on('error', () => undefined);
await client.connect();

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseUrl = `http://localhost:${server.address().port}`;
let clockOffset = settings.clockOffset;

const oidc = hybridFlow({
  baseUrl,
  // A second process may be told to serve the base URL of the first.
  ...settings.options,
  lock: redisLock(client),
  now: () => Date.now() + clockOffset,
});

const app = express();
app.post('/clock', (req, res) => {
  clockOffset = Number(req.query.offset);
  res.end();
});
app.use(
  session({
    secret: settings.sessionSecret,
    resave: false,
    saveUninitialized: false,
    store: new RedisStore({ client }),
    cookie: { sameSite: 'lax' },
  }),
);
app.use(oidc.router());
app.get('/', oidc.optionalAuth(), (req, res) => res.json({ sub: req.oidc?.claims.sub ?? null }));
app.get('/private', oidc.requireAuth(), (req, res) => res.json({ sub: req.oidc.claims.sub }));
app.use('/api', oidc.requireAuth(), (req, res) => {
  res.json({ authorization: req.headers.authorization });
});
server.on('request', app);
process.send({ baseUrl });
