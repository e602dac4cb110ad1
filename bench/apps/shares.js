// What express-session and the proxy library cost by themselves: the bare application, with parts left out.
import { Agent, request } from 'node:http';
import { pipeline } from 'node:stream';
import httpProxy from 'http-proxy';
import { answerPage, createApp, landingPath, openStore, proxyTo, sessions } from './web.js';

const authorization = `Bearer ${'x'.repeat(43)}`;

export async function start(setting) {
  const { store } = await openStore(setting);
  const app = createApp();
  const attach = (req, _res, next) => {
    req.headers.authorization = authorization;
    next();
  };
  app.get('/no-session/page', attach, (req, res) =>
    answerPage(res, 'user-000000001', req.headers.authorization),
  );
  app.use('/no-session/proxied', attach, proxyTo(setting.apiUrl));
  app.use('/no-session/piped', attach, pipeTo(setting.apiUrl));
  app.use(sessions(store));
  app.get('/login', (req, res) => {
    req.session.user = { sub: 'user-000000001' };
    res.redirect(303, landingPath);
  });
  app.get('/session/page', attach, (req, res) =>
    answerPage(res, req.session.user.sub, req.headers.authorization),
  );
  app.use('/session/http-proxy', attach, httpProxyTo(setting.apiUrl));
  app.use('/session/piped', attach, pipeTo(setting.apiUrl));
  app.use('/session/proxied', attach, proxyTo(setting.apiUrl));
  return { listener: app };
}

/** http-proxy, on which http-proxy-middleware is built. */
function httpProxyTo(target) {
  const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true }) });
  return (req, res, next) => proxy.web(req, res, {}, next);
}

/** A streaming proxy by node:http, and no more than that. */
function pipeTo(apiUrl) {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(apiUrl);
  return (req, res, next) => {
    const { method, url: path, headers } = req;
    const sent = request({ hostname, port, method, path, headers, agent }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      pipeline(answer, res, () => undefined);
    });
    sent.on('error', next);
    if (method === 'GET' || method === 'HEAD') sent.end();
    else pipeline(req, sent, () => undefined);
  };
}
