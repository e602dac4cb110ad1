import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import {
  parseTransaction,
  serializeTransaction,
  shortDigest,
  type Transaction,
  transactionId,
} from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';

/** Bytes of all transaction cookies together, as a request has them; servers limit its headers. */
const maxTotalBytes = 2000;

/** Between a name and its value, and between two cookies: `=` and `; `. */
const separatorBytes = 3;

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
  remove(res: Response, state: string): void;
}

/** Name and attributes that all cookies of one flow share. */
export interface FlowCookies {
  readonly prefix: string;
  readonly attributes: {
    readonly path: string;
    readonly domain?: string;
    readonly httpOnly: true;
    readonly secure: boolean;
    readonly sameSite: 'lax';
  };
}

/**
 * `Lax` is enough: the cross-site POST of a form_post reads no cookie, and the redirect after it
 * carries Lax ones. `__Host-` keeps sibling domains from planting cookies; with a path or a domain
 * browsers refuse it. On plain http, which is for development on loopback, some refuse all of it.
 *
 * Cookies know no ports, so the name tells two applications on one host apart.
 */
export function flowCookies(options: ResolvedOptions): FlowCookies {
  const tag = shortDigest(JSON.stringify([options.baseUrl, options.issuer, options.clientId]), 6);
  const { isSecure, transactionCookie } = options;
  const { name, path, domain } = transactionCookie;
  const isHostOnly = path === '/' && domain === undefined;
  const prefix = isSecure ? (isHostOnly ? '__Host-' : '__Secure-') : '';
  return {
    prefix: `${prefix}${name}.${tag}.`,
    attributes: {
      path,
      ...(domain === undefined ? {} : { domain }),
      httpOnly: true,
      secure: isSecure,
      sameSite: 'lax',
    },
  };
}

/**
 * Of cookies that only the callback reads, and browsers send nowhere else. Such a path rules out
 * `__Host-`.
 */
export function callbackCookies(options: ResolvedOptions): FlowCookies {
  const { prefix, attributes } = flowCookies(options);
  return {
    prefix: prefix.replace('__Host-', '__Secure-'),
    attributes: { ...attributes, path: `${options.basePath}${options.callbackPath}` },
  };
}

export function createTransactionCookies(
  options: ResolvedOptions,
  sealer: Sealer,
): TransactionCookies {
  const { prefix, attributes } = flowCookies(options);
  const nameOf = (state: string): string => `${prefix}tx.${transactionId(state)}`;
  const purposeOf = (name: string, time: string): string =>
    JSON.stringify(['transaction', options.issuer, options.clientId, name, time]);

  const expire = (res: Response, name: string): void => {
    res.append('Set-Cookie', serialize(name, '', { ...attributes, maxAge: 0 }));
  };

  const open = (name: string, value: string | undefined): Transaction | undefined => {
    const [time, sealed] = value?.split('.') ?? [];
    if (time === undefined || sealed === undefined) return undefined;
    const text = sealer.open(sealed, purposeOf(name, time));
    return text === undefined ? undefined : parseTransaction(text);
  };

  return {
    store(req, res, transaction) {
      const name = nameOf(transaction.state);
      const time = transaction.startedAt.toString(36);
      const sealed = sealer.seal(serializeTransaction(transaction), purposeOf(name, time));
      const value = `${time}.${sealed}`;
      const others = Object.entries(parse(req.headers.cookie ?? ''))
        .filter(([other]) => isTransactionName(other, prefix) && other !== name)
        .map(([other, otherValue]) => ({ name: other, value: otherValue ?? '' }));
      const room = maxTotalBytes - name.length - value.length - separatorBytes;
      for (const surplus of surplusCookies(others, options.maxTransactions - 1, room)) {
        expire(res, surplus);
      }
      const maxAge = options.transactionTtlSeconds;
      res.append('Set-Cookie', serialize(name, value, { ...attributes, maxAge }));
    },

    find: (req, state) => {
      const name = nameOf(state);
      return open(name, parse(req.headers.cookie ?? '')[name]);
    },

    underWay: (req) =>
      Object.entries(parse(req.headers.cookie ?? ''))
        .filter(([name]) => isTransactionName(name, prefix))
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

    remove(res, state) {
      expire(res, nameOf(state));
    },
  };
}

/** Whoever can set cookies can give them names that no header may have. */
function isTransactionName(name: string, prefix: string): boolean {
  const start = `${prefix}tx.`;
  return name.startsWith(start) && /^[\w-]{16}$/.test(name.slice(start.length));
}

/** Names of the cookies that have to go: all but the newest that fit, those with no readable time first. */
function surplusCookies(
  cookies: readonly { name: string; value: string }[],
  maxCount: number,
  maxBytes: number,
): string[] {
  const newestFirst = cookies
    .map(({ name, value }) => ({
      name,
      bytes: name.length + value.length + separatorBytes,
      startedAt: Number.parseInt(/^[0-9a-z]{1,9}(?=\.)/.exec(value)?.[0] ?? '0', 36),
    }))
    .sort((a, b) => b.startedAt - a.startedAt);
  let bytes = 0;
  return newestFirst
    .filter((cookie, index) => {
      bytes += cookie.bytes;
      return index >= maxCount || bytes > maxBytes;
    })
    .map(({ name }) => name);
}
