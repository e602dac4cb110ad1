import { shortDigest } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';

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
