import express, { type Request, type Response, Router } from 'express';
import { changeQuantity, readCart } from './cart.ts';
import { PageError } from './error-pages.ts';
import { findWare, wares } from './wares.ts';

/** The pages that anybody may see: the wares and the cart. */
export function shopPages(): Router {
  const pages = Router();
  pages.get('/', (req, res) => {
    res.render('home', { title: 'Signal flags', wares, inCart: req.session.cart ?? {} });
  });
  pages.get('/cart', (req, res) => {
    res.render('cart', { title: 'Your hoist', cart: readCart(req.session) });
  });
  pages.post('/cart', express.urlencoded({ extended: false, limit: '1kb' }), changeCart);
  return pages;
}

function changeCart(req: Request, res: Response): void {
  const form: Record<string, unknown> = req.body ?? {};
  const ware = findWare(form['letter']);
  const by = Number(form['by']);
  if (ware === undefined || !Number.isInteger(by)) {
    throw new PageError(400, 'There is no such flag to put in the cart.');
  }
  changeQuantity(req.session, ware, by);
  res.redirect(303, form['from'] === 'cart' ? '/cart' : `/#flag-${ware.letter}`);
}
