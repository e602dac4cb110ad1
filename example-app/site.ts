import { fileURLToPath } from 'node:url';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { HybridFlow } from 'passport-oidc-hybrid';
import { accountPages } from './account-pages.ts';
import { createApiProxy } from './api-proxy.ts';
import { readCart } from './cart.ts';
import { renderError, renderNotFound } from './error-pages.ts';
import { requireSameOrigin } from './same-origin.ts';
import type { Settings } from './settings.ts';
import { shopPages } from './shop-pages.ts';
import { formatPrice } from './wares.ts';

/** Puts the shop together. The order of mounting is the point: read it from top to bottom. */
export function createSite(
  settings: Settings,
  oidc: HybridFlow,
  sessions: RequestHandler,
): Express {
  const site = express();
  site.set('trust proxy', settings.trustProxy);
  site.set('view engine', 'ejs');
  site.set('views', pathTo('../views'));
  Object.assign(site.locals, { formatPrice });

  site.use(helmet());
  site.use(express.static(pathTo('../public'), { index: false }));
  site.use(sessions);
  site.use(oidc.router());
  site.use(requireSameOrigin(settings.baseUrl));
  site.use('/api', oidc.requireAuth({ proxied: true }), createApiProxy(settings.apiUrl));
  site.use(oidc.optionalAuth(), prepareView);
  site.use(shopPages());
  site.use(accountPages(settings, oidc));
  site.use(renderNotFound);
  site.use(keepVisitor(oidc), prepareErrorView, renderError);
  return site;
}

/** Gives every view what the page header shows: the visitor, the cart and the way back. */
const prepareView: RequestHandler = function prepareView(req, res, next) {
  Object.assign(res.locals, {
    user: req.oidc?.claims,
    cart: readCart(req.session ?? {}),
    path: req.path,
    returnTo: req.method === 'GET' ? req.originalUrl : '/',
  });
  // What a page shows depends on who is signed in: no cache may keep it.
  res.set('Cache-Control', 'no-store');
  next();
};

const prepareErrorView: ErrorRequestHandler = function prepareErrorView(error, req, res, next) {
  prepareView(req, res, () => {
    // Not back to a page that has just failed; /callback would fail for certain.
    res.locals['returnTo'] = '/';
    next(error);
  });
};

/** An error may come from before `optionalAuth`; its page still says who is signed in. */
function keepVisitor(oidc: HybridFlow): ErrorRequestHandler {
  const recognize = oidc.optionalAuth();
  return function keepVisitor(error, req, res, next) {
    recognize(req, res, () => next(error));
  };
}

function pathTo(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
