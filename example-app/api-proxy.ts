import { Socket } from 'node:net';
import type { Request, Response } from 'express';
import { createProxyMiddleware, type RequestHandler } from 'http-proxy-middleware';

/**
 * Passes `/api/*` on to the orders API, for pages that call it from the browser.
 *
 * `oidc.requireAuth({ proxied: true })` stands before it: it has replaced `Authorization` with a fresh
 * access token and kept back the browser's cookies, as the session cookie is worth as much as the
 * sign-in. Nor may the API set cookies for this site.
 */
export function createApiProxy(apiUrl: string): RequestHandler<Request, Response> {
  return createProxyMiddleware<Request, Response>({
    target: apiUrl,
    changeOrigin: true,
    on: {
      proxyRes: (proxyRes) => {
        delete proxyRes.headers['set-cookie'];
      },
      error: (error, req, res) => {
        console.error(`${req.method} ${req.originalUrl} failed: ${error.message}`);
        // A socket comes for WebSocket upgrades, which this site does not pass on.
        if (res instanceof Socket || res.headersSent) res.destroy();
        else sendBadGateway(res);
      },
    },
  });
}

function sendBadGateway(res: Response): void {
  const problem = { status: 502, title: 'The orders API did not answer' };
  res.status(502).type('application/problem+json').send(problem);
}
