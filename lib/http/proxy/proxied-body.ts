import { PassThrough, type Readable } from 'node:stream';
import type { Request } from 'express';
import { ProxyError } from '../../errors.ts';
import { refuseUnframedBody } from '../downstream-headers.ts';

/** The body of a request: whole, or as it comes. */
export type ProxiedBody = Buffer | Readable | null;

/** Bodies up to so many bytes are read before they are sent, so that they can be sent once more. */
const maxRepeatableBytes = 65_536;

/**
 * @throws {@link ProxyError} `ERR_OIDC_PROXY_BODY_READ`
 * @throws {@link ValidationError} `ERR_OIDC_PROXIED_BODY`
 */
export async function readProxiedBody(req: Request): Promise<ProxiedBody> {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = req.headers;
  if (encoding === undefined && Number(length) === 0) return null;
  refuseUnframedBody(req);
  if (req.readableDidRead) {
    throw new ProxyError(
      'ERR_OIDC_PROXY_BODY_READ',
      'a middleware has read the body of a request that is to be proxied: mount oidc.proxy() before body parsers',
    );
  }
  if (encoding === undefined && Number(length) <= maxRepeatableBytes) return readWhole(req);
  return streamOf(req);
}

async function readWhole(req: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A stream of its own: of the request's own, an API that fails would leave nothing to make an answer with. */
function streamOf(req: Request): Readable {
  return req.pipe(new PassThrough());
}
