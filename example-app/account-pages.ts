import { type Response, Router } from 'express';
import { type AuthenticatedRequest, type HybridFlow, HybridFlowError } from 'passport-oidc-hybrid';
import { emptyCart, readCart } from './cart.ts';
import { PageError } from './error-pages.ts';
import type { Order } from './order-book.ts';
import type { Settings } from './settings.ts';
import { wares } from './wares.ts';

/** The pages that need a sign-in. Each route says so itself, so that none is forgotten. */
export function accountPages(settings: Settings, oidc: HybridFlow): Router {
  const pages = Router();
  pages.get('/profile', oidc.requireAuth(), async (req, res) => {
    const { expiresAt, scope } = await req.oidc.accessToken();
    const claims = Object.entries(req.oidc.claims);
    res.render('profile', { title: 'Profile', claims, expiresAt, scope, settings });
  });
  pages.get('/orders', oidc.requireAuth(), async (req, res) => {
    const orders = await listOrders(req, settings.apiUrl);
    res.render('orders', { title: 'Orders', orders, wares, placed: req.query['placed'] });
  });
  pages.post('/checkout', oidc.requireAuth(), (req, res) => placeOrder(req, res, settings.apiUrl));
  return pages;
}

async function listOrders(req: AuthenticatedRequest, apiUrl: string): Promise<readonly Order[]> {
  const response = await callApi(req, `${apiUrl}/orders`);
  const body: unknown = await response.json();
  if (body instanceof Object && 'orders' in body && Array.isArray(body.orders)) return body.orders;
  throw new PageError(502, 'The orders API answered something else than orders.');
}

async function placeOrder(req: AuthenticatedRequest, res: Response, apiUrl: string): Promise<void> {
  const { lines } = readCart(req.session);
  if (lines.length === 0) return res.redirect(303, '/cart');
  const order = { lines: lines.map(({ ware, quantity }) => ({ letter: ware.letter, quantity })) };
  const response = await callApi(req, `${apiUrl}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  const { id } = (await response.json()) as Order;
  emptyCart(req.session);
  res.redirect(303, `/orders?placed=${encodeURIComponent(id)}`);
}

/** Calls the API in the name of the visitor; the library adds an access token that is fresh. */
async function callApi(
  req: AuthenticatedRequest,
  url: string,
  init?: RequestInit,
): Promise<globalThis.Response> {
  const response = await req.oidc.fetch(url, init).catch((cause: unknown) => {
    // The sign-in has ended, or the OP is away: those errors say so themselves.
    if (cause instanceof HybridFlowError) throw cause;
    throw new PageError(502, 'The orders API cannot be reached.', cause);
  });
  if (response.ok) return response;
  // Says why where ISSUER, AUDIENCE or SCOPE do not fit together: the usual first hurdle.
  const reason = response.headers.get('www-authenticate') ?? 'no reason given';
  throw new PageError(502, `The orders API answered ${response.status}.`, reason);
}
