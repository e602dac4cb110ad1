// This library, as its README sets it up: with its own proxy, and in front of the proxy of all others.
import { hybridFlow, redisLock } from 'passport-oidc-hybrid';
import { answerPage, client, createApp, openStore, proxyTo, scope, sessions } from './web.js';

export async function start(setting) {
  const { store, redis } = await openStore(setting);
  const oidc = hybridFlow({
    issuer: setting.issuer,
    clientId: client.id,
    clientSecret: client.secret,
    baseUrl: setting.baseUrl,
    secret: 'a secret for benchmarks, which seals cookies and tokens',
    scope,
    ...(redis === undefined ? {} : { lock: redisLock(redis) }),
  });
  const app = createApp();
  app.use(sessions(store));
  app.use(oidc.router());
  app.get('/page', oidc.requireAuth(), (req, res) =>
    answerPage(res, req.oidc.claims.sub, req.headers.authorization),
  );
  if (setting.app === 'ours-proxy') app.use('/api', oidc.proxy({ target: setting.apiUrl }));
  else app.use('/api', oidc.requireAuth({ proxied: true }), proxyTo(setting.apiUrl));
  return { listener: app, ready: () => oidc.ready() };
}
