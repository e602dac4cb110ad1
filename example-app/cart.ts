import type { SessionData } from 'express-session';
import { findWare, type Ware } from './wares.ts';

declare module 'express-session' {
  interface SessionData {
    /** How many of which flag, by letter. Prices are looked up when shown, never stored. */
    cart?: Record<string, number>;
  }
}

export interface CartLine {
  readonly ware: Ware;
  readonly quantity: number;
  readonly totalCents: number;
}

export interface Cart {
  readonly lines: readonly CartLine[];
  readonly count: number;
  readonly totalCents: number;
}

const mostOfOneFlag = 20;

/** Reads the visitor's cart; one that has put nothing in it yet has an empty one. */
export function readCart(session: Partial<SessionData>): Cart {
  const lines = Object.entries(session.cart ?? {}).flatMap(([letter, quantity]): CartLine[] => {
    const ware = findWare(letter);
    return ware ? [{ ware, quantity, totalCents: ware.priceCents * quantity }] : [];
  });
  return {
    lines,
    count: lines.reduce((sum, line) => sum + line.quantity, 0),
    totalCents: lines.reduce((sum, line) => sum + line.totalCents, 0),
  };
}

/** Adds to a flag's quantity, or takes from it; at nought the flag leaves the cart. */
export function changeQuantity(session: Partial<SessionData>, ware: Ware, by: number): void {
  const cart = { ...session.cart };
  const quantity = Math.min((cart[ware.letter] ?? 0) + by, mostOfOneFlag);
  if (quantity > 0) cart[ware.letter] = quantity;
  else delete cart[ware.letter];
  session.cart = cart;
}

/** Empties the cart once its order has been placed. */
export function emptyCart(session: Partial<SessionData>): void {
  delete session.cart;
}
