import { randomUUID } from 'node:crypto';
import { findWare, type Ware } from './wares.ts';

export interface OrderLine {
  readonly letter: string;
  readonly quantity: number;
}

export interface Order {
  readonly id: string;
  /** ISO 8601. */
  readonly placedAt: string;
  readonly status: 'sewing' | 'shipped';
  readonly lines: readonly OrderLine[];
  readonly totalCents: number;
}

/** Orders by `sub`, newest first, in memory. A new customer finds two earlier orders. */
export class OrderBook {
  readonly #orders = new Map<string, Order[]>();

  list(sub: string): readonly Order[] {
    const known = this.#orders.get(sub);
    if (known !== undefined) return known;
    const seeds = earlierOrders();
    this.#orders.set(sub, seeds);
    return seeds;
  }

  place(sub: string, lines: readonly OrderLine[]): Order {
    const order = createOrder(lines, 'sewing', new Date());
    this.#orders.set(sub, [order, ...this.list(sub)]);
    return order;
  }
}

/** Checks the lines of an order that came over the wire; `undefined` where they are not an order. */
export function readOrderLines(raw: unknown): readonly OrderLine[] | undefined {
  const rawLines: unknown = raw instanceof Object && 'lines' in raw ? raw.lines : undefined;
  if (!Array.isArray(rawLines) || rawLines.length === 0 || rawLines.length > 26) return undefined;
  const lines = rawLines.map(readOrderLine);
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function readOrderLine(raw: unknown): OrderLine | undefined {
  if (!(raw instanceof Object && 'letter' in raw && 'quantity' in raw)) return undefined;
  const { letter, quantity } = raw;
  const isWhole = typeof quantity === 'number' && Number.isInteger(quantity);
  const ware = findWare(letter);
  return ware && isWhole && quantity > 0 && quantity <= 20
    ? { letter: ware.letter, quantity }
    : undefined;
}

function earlierOrders(): Order[] {
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  return [
    createOrder([{ letter: 'Q', quantity: 1 }], 'shipped', daysAgo(12)),
    createOrder(
      [
        { letter: 'K', quantity: 1 },
        { letter: 'C', quantity: 2 },
      ],
      'shipped',
      daysAgo(47),
    ),
  ];
}

function createOrder(lines: readonly OrderLine[], status: Order['status'], at: Date): Order {
  const price = (ware: Ware | undefined): number => ware?.priceCents ?? 0;
  return {
    id: `H-${randomUUID().slice(0, 6).toUpperCase()}`,
    placedAt: at.toISOString(),
    status,
    lines,
    // Priced here and not by the caller: a cart is a wish, not an invoice.
    totalCents: lines.reduce((sum, line) => sum + price(findWare(line.letter)) * line.quantity, 0),
  };
}
