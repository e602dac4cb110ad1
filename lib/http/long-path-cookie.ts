import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import { type Transaction, transactionId } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { callbackCookies } from './flow-cookies.ts';
import { defaultReturnPath } from './return-to.ts';

/** Longest return path in the cookie of a login. */
const maxPathLength = 200;

/**
 * The return path of the newest login that has a long one. With a long path in the cookie of each login,
 * logins that begin at the same moment, and do not see each other's cookies, would pile them up beyond
 * what servers take. This one goes to the callback only, and adds nothing to other requests.
 */
export interface LongPathCookie {
  /** @returns the return path that the cookie of the login itself has room for */
  store(res: Response, transaction: Transaction): string;
  /** The long path of a login, if this browser has it. */
  find(req: Request, state: string): string | undefined;
  /** Deletes the path of this login; that of another stays. */
  remove(req: Request, res: Response, state: string): void;
}

export function createLongPathCookie(options: ResolvedOptions, sealer: Sealer): LongPathCookie {
  const { prefix, attributes } = callbackCookies(options);
  const name = `${prefix}path`;
  const maxAge = options.transactionTtlSeconds;
  const purposeOf = (id: string): string =>
    JSON.stringify(['return path', options.issuer, options.clientId, id]);
  const find: LongPathCookie['find'] = (req, state) => {
    const [id = '', sealed = ''] = parse(req.headers.cookie ?? '')[name]?.split('.') ?? [];
    return id === transactionId(state) ? sealer.open(sealed, purposeOf(id)) : undefined;
  };
  return {
    store(res, { state, returnTo }) {
      if (returnTo.length <= maxPathLength) return returnTo;
      const id = transactionId(state);
      const value = `${id}.${sealer.seal(returnTo, purposeOf(id))}`;
      res.append('Set-Cookie', serialize(name, value, { ...attributes, maxAge }));
      // The page, without what it was asked with.
      const [path = ''] = returnTo.split(/[?#]/);
      return path.length <= maxPathLength ? path : defaultReturnPath(options);
    },
    find,
    remove(req, res, state) {
      if (find(req, state) === undefined) return;
      res.append('Set-Cookie', serialize(name, '', { ...attributes, maxAge: 0 }));
    },
  };
}
