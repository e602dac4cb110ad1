import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { callerOf, createBearerGuard } from './access-token.ts';
import { OrderBook, readOrderLines } from './order-book.ts';
import type { Settings } from './settings.ts';

/**
 * The downstream API: another service with another owner, which knows nothing of the shop's
 * sessions and cookies. A valid access token is all it looks at.
 */
export function createApi(settings: Settings): Express {
  const api = express();
  const guard = createBearerGuard(settings.issuer, settings.apiAudience);
  const book = new OrderBook();
  api.disable('x-powered-by');
  api.get('/whoami', guard(), (_req, res) => {
    res.json(callerOf(res));
  });
  api.get('/orders', guard('orders:read'), (_req, res) => {
    res.json({ orders: book.list(callerOf(res).sub) });
  });
  api.post('/orders', guard('orders:write'), express.json({ limit: '8kb' }), (req, res) => {
    const lines = readOrderLines(req.body);
    if (lines === undefined) return sendProblem(res, 422, 'These are not the lines of an order');
    const order = book.place(callerOf(res).sub, lines);
    res.status(201).location(`/orders#${order.id}`).json(order);
  });
  api.use((_req, res) => sendProblem(res, 404, 'There is no such resource'));
  api.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    if (status >= 500) console.error(`orders API: ${req.method} ${req.path} failed:`, error);
    sendProblem(res, status, status < 500 ? 'The request could not be read' : 'The API failed');
  });
  return api;
}

/** RFC 9457. */
function sendProblem(res: Response, status: number, title: string): void {
  res.status(status).type('application/problem+json').send({ status, title });
}
