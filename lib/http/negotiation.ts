import type { Request } from 'express';

/**
 * Whether a person is looking at the answer: a top-level navigation. Everything else (fetch, XHR,
 * images, frames, prefetches) gets no login, because nobody could complete it.
 *
 * Fetch Metadata decides where the browser sends it. Without it, `X-Requested-With` or a missing
 * `text/html` in Accept tell an API caller: fetch sends `*\/*`.
 *
 * @see {@link https://www.w3.org/TR/fetch-metadata/ Fetch Metadata}
 */
export function isNavigation(req: Request): boolean {
  if (isPrefetch(req)) return false;
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = req.headers;
  if (mode !== undefined) {
    return mode === 'navigate' && (destination === undefined || destination === 'document');
  }
  if (req.headers['x-requested-with'] !== undefined) return false;
  return /\btext\/html\b/i.test(req.headers.accept ?? '');
}

/** Whether the browser only looks ahead, so that the page may never be seen. */
export function isPrefetch(req: Request): boolean {
  const purpose = req.headers['sec-purpose'] ?? req.headers['purpose'] ?? req.headers['x-moz'];
  return /prefetch|prerender|preview/i.test(String(purpose ?? ''));
}

/**
 * Whether another site has a browser send a request that changes something. Who sends neither
 * Fetch Metadata nor an Origin is no browser of today, and no victim of a forged request.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.7 RFC 9700 section 4.7}
 */
export function isForged(req: Request, ownOrigin: string, trusted: readonly string[]): boolean {
  if (['GET', 'HEAD', 'OPTIONS'].includes(req.method)) return false;
  const { origin, 'sec-fetch-site': site } = req.headers;
  if (origin === undefined && site === undefined) return false;
  if (origin !== undefined && trusted.includes(origin)) return false;
  return !isSameOrigin(req, ownOrigin);
}

/**
 * Whether the request was made by a page of the application itself, or typed in by the visitor.
 * Browsers without Fetch Metadata say so by Origin alone, which they send with POST.
 */
export function isSameOrigin(req: Request, origin: string): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return req.headers.origin === origin;
}

/** Whether a page of the application's own site has caused the request, so that no cookie stayed behind. */
export function isSameSite(req: Request): boolean {
  const site = req.headers['sec-fetch-site'];
  return site === 'same-origin' || site === 'same-site';
}
