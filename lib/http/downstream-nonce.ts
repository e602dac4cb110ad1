import type { Request } from 'express';

/**
 * Looks at the answer of an API that a proxy passes through. Its nonce is for the next proof and none of the
 * browser's business; and where the API refuses a proof for want of one, the browser is told to try again, as
 * it would take a 401 for the end of its login.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-9 RFC 9449 section 9}
 */
export function takeNonce(req: Request, learn: (nonce: unknown) => boolean): void {
  const { res } = req;
  if (res === undefined) return;
  const { writeHead } = res;
  res.writeHead = ((...given: Parameters<typeof writeHead>) => {
    const nonce = res.getHeader('dpop-nonce');
    if (nonce === undefined) return writeHead.apply(res, given);
    res.removeHeader('dpop-nonce');
    const challenge = String(res.getHeader('www-authenticate') ?? '');
    const isNew = learn(nonce);
    if (!isNew || given[0] !== 401 || !challenge.includes('use_dpop_nonce')) {
      return writeHead.apply(res, given);
    }
    res.removeHeader('www-authenticate');
    res.statusMessage = 'Service Unavailable';
    res.setHeader('Retry-After', '0');
    res.setHeader('Cache-Control', 'no-store');
    return writeHead.call(res, 503);
  }) as typeof writeHead;
}
