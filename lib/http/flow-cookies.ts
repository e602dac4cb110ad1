import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';

/** What stands in the names of this library's cookies behind the application: the login, or a word. */
const endOfName = /^(?:tx\.[\w-]{16}|[a-z]+)$/;

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
  /** Whether a cookie is one of this flow, of pages or of the callback. */
  readonly isOfFlow: (name: string) => boolean;
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
  const start = `${name}.${tag}.`;
  return {
    prefix: `${prefix}${start}`,
    isOfFlow(cookie) {
      const bare = cookie.replace(/^__(?:Host|Secure)-/, '');
      return bare.startsWith(start) && endOfName.test(bare.slice(start.length));
    },
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
  const { prefix, attributes, isOfFlow } = flowCookies(options);
  return {
    isOfFlow,
    prefix: prefix.replace('__Host-', '__Secure-'),
    attributes: { ...attributes, path: `${options.basePath}${options.callbackPath}` },
  };
}
