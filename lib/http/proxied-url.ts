import type { Request } from 'express';
import { OptionsError, ProxyError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import { checkApiUrl } from './api-url.ts';

/** A request that a proxy sends on. */
export interface ProxiedOptions {
  /**
   * URL of the API, to which the proxy adds the path that is left below the guard's; or a function of the
   * request that gives the whole URL which the proxy will ask for.
   */
  to: string | ((req: Request) => string | URL);
}

/** The URL that a request will be sent on to. */
export type UrlOf = (req: Request) => URL;

/**
 * @returns `undefined` where nobody has to know it
 * @throws {@link OptionsError} for a proxied route whose API cannot be known, or is no URL
 */
export function readProxiedUrl(
  proxied: boolean | ProxiedOptions | undefined,
  needsToken: boolean,
  options: Pick<ResolvedOptions, 'dpop' | 'profile'>,
): UrlOf | undefined {
  const to = typeof proxied === 'object' ? proxied.to : undefined;
  if (to === undefined) {
    if (options.dpop === undefined || !proxied || !needsToken) return undefined;
    throw new OptionsError(
      'ERR_OIDC_OPTION_MISSING',
      'proxied.to',
      '"proxied" has to say where the request goes with the option "dpop": { to: \'https://api.example\' }',
    );
  }
  if (typeof to === 'function') return (req) => new URL(to(req));
  const base = URL.canParse(to) ? new URL(to) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) {
    const message = '"proxied.to" must be an absolute URL, or a function that gives one';
    throw new OptionsError('ERR_OIDC_OPTION_INVALID', 'proxied.to', message);
  }
  checkApiUrl(base, 'proxied.to', options);
  const prefix = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  return (req) => new URL(`${prefix}${req.url}`);
}

/**
 * Refuses a request line with a whole URL, or "*": what stands for a host there is the caller's word, and a proxy that
 * puts it together with its target asks another server, with the token. A link can do the same to whoever follows it,
 * by a path that begins with "//": `new URL()` takes that for a host, too. It is let through where `to` says as a text
 * what it is added to.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112 section 3.2}
 * @throws {@link ProxyError} `ERR_OIDC_PROXY_PATH`
 */
export function refuseOtherThanPath({ url }: Request, proxied: boolean | ProxiedOptions): void {
  const isAdded = typeof proxied === 'object' && typeof proxied.to === 'string';
  // Tabs and newlines are dropped, and "\" is taken for "/".
  if (isAdded ? url.startsWith('/') : /^\/(?![\t\n\r]*[/\\])/.test(url)) return;
  throw new ProxyError(
    'ERR_OIDC_PROXY_PATH',
    'the request line of a proxied request must have a path, and no whole URL, nor one without its scheme',
  );
}
