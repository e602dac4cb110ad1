import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import {
  parseTransaction,
  serializeTransaction,
  type Transaction,
  transactionId,
} from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { sizeOf, surplusCookies } from './cookie-bounds.ts';
import { flowCookies } from './flow-cookies.ts';
import { createLongPathCookie } from './long-path-cookie.ts';
import { createParallelLogins } from './parallel-logins.ts';

/** Bytes of all transaction cookies together, as a request has them; servers limit its headers. */
const maxTotalBytes = 2000;

/** One sealed, short-lived cookie for each login under way. */
export interface TransactionCookies {
  /** Sets the cookie of a new login, and expires the oldest ones above the bounds. */
  store(req: Request, res: Response, transaction: Transaction): void;
  /** The transaction of a state, if this browser began it. */
  find(req: Request, state: string): Transaction | undefined;
  /** All logins that this browser has under way. */
  underWay(req: Request): Transaction[];
  /** Which cookie a state should have come with, and what may have become of it. */
  explainMissing(req: Request, state: string): { readonly name: string; readonly reason: string };
  /** Deletes the cookie of one login; those of other tabs stay. */
  remove(req: Request, res: Response, state: string): void;
}

export function createTransactionCookies(
  options: ResolvedOptions,
  sealer: Sealer,
): TransactionCookies {
  const { prefix, attributes, isOfFlow } = flowCookies(options);
  const nameOf = (state: string): string => `${prefix}tx.${transactionId(state)}`;
  const purposeOf = (name: string, time: string): string =>
    JSON.stringify(['transaction', options.issuer, options.clientId, name, time]);
  const longPaths = createLongPathCookie(options, sealer);
  const isOurs = (name: string): boolean => isTransactionName(name, prefix);
  const parallel = createParallelLogins(options, isOfFlow);

  const expire = (res: Response, name: string): void => {
    res.append('Set-Cookie', serialize(name, '', { ...attributes, maxAge: 0 }));
  };

  const open = (name: string, value: string | undefined): Transaction | undefined => {
    const [time = '', sealed] = value?.split('.') ?? [];
    if (sealed === undefined) return undefined;
    const text = sealer.open(sealed, purposeOf(name, time));
    return text === undefined ? undefined : parseTransaction(text);
  };

  return {
    store(req, res, transaction) {
      const name = nameOf(transaction.state);
      const time = transaction.startedAt.toString(36);
      const returnTo = longPaths.store(res, transaction);
      const text = serializeTransaction({ ...transaction, returnTo });
      const value = `${time}.${sealer.seal(text, purposeOf(name, time))}`;
      const own = sizeOf(name, value);
      const others = Object.entries(parse(req.headers.cookie ?? ''))
        .filter(([other]) => isOurs(other) && other !== name)
        .map(([other, otherValue = '']) => sizeOf(other, otherValue));
      const room = maxTotalBytes - own.bytes;
      const surplus = surplusCookies(others, options.maxTransactions - 1, room);
      parallel.forget(surplus);
      for (const other of [...surplus, ...parallel.add(req, own, room)]) expire(res, other);
      const maxAge = options.transactionTtlSeconds;
      res.append('Set-Cookie', serialize(name, value, { ...attributes, maxAge }));
    },

    find: (req, state) => {
      const name = nameOf(state);
      const transaction = open(name, parse(req.headers.cookie ?? '')[name]);
      if (transaction === undefined) return undefined;
      return { ...transaction, returnTo: longPaths.find(req, state) ?? transaction.returnTo };
    },

    underWay: (req) =>
      Object.entries(parse(req.headers.cookie ?? ''))
        .filter(([name]) => isOurs(name))
        .flatMap(([name, value]) => open(name, value) ?? []),

    explainMissing(req, state) {
      const name = nameOf(state);
      const cookies = parse(req.headers.cookie ?? '');
      if (cookies[name] !== undefined) {
        const reason =
          'it came, but no "secret" opens it: every process needs the same one, also after a restart';
        return { name, reason };
      }
      const reason =
        req.headers.cookie === undefined
          ? `the browser sent no cookie at all: it blocks cookies, or the login began in another browser or on another host than ${options.origin}`
          : `the browser sent other cookies: this one was used already, has expired (transactionTtlSeconds), gave way to newer logins (maxTransactions), or was set in another browser or on another host than ${options.origin}`;
      return { name, reason };
    },

    remove(req, res, state) {
      const name = nameOf(state);
      expire(res, name);
      parallel.forget([name]);
      longPaths.remove(req, res, state);
    },
  };
}

/** Whoever can set cookies can give them names that no header may have. */
function isTransactionName(name: string, prefix: string): boolean {
  const start = `${prefix}tx.`;
  return name.startsWith(start) && /^[\w-]{16}$/.test(name.slice(start.length));
}
