import type { IncomingHttpHeaders } from 'node:http';
import type { Request, Response } from 'express';
import type { ResolvedOptions } from '../../options.ts';
import { connectionOptions, hopByHop } from '../downstream-headers.ts';
import type { ProvenCall } from '../oidc-context.ts';
import type { UpstreamAnswer } from './upstream.ts';

/** What a caller cannot send to the API. */
const neverSent = new Set([
  ...hopByHop,
  // Between the browser and the application.
  'cookie',
  'authorization',
  'dpop',
  // Made anew for the connection to the API.
  'host',
  'content-length',
  'transfer-encoding',
  'expect',
  // For the proxy to say, and not for its caller.
  'forwarded',
  'x-real-ip',
  // RFC 3875 4.1.18 makes HTTP_PROXY of it, which many HTTP clients obey.
  'proxy',
  // Some servers take the path of the request from them.
  'x-original-url',
  'x-rewrite-url',
]);

/** Who the proxy says that the request is from, and what it was for. */
const forwardedPrefix = 'x-forwarded-';

/**
 * What an API cannot say to the browser, as it would speak for the whole origin of the application.
 * `Access-Control-…` with it: what is no danger in an API without cookies opens a proxy that takes them.
 */
const neverAnswered = new Set([
  ...hopByHop,
  'transfer-encoding',
  'set-cookie',
  'dpop-nonce',
  'alt-svc',
  'clear-site-data',
  'service-worker-allowed',
  'strict-transport-security',
]);

const corsPrefix = 'access-control-';

/** RFC 9110 7.6.3: a gateway names itself, by a name of its choice. */
const viaName = 'oidc-proxy';

/**
 * Headers for the API: those of the caller that are meant for it, the token, and the proof where there is one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.6 RFC 9110 section 7.6}
 * @param isForwarded whether the API is told of the browser's request by `X-Forwarded-…`
 */
export function upstreamHeaders(
  req: Request,
  proven: ProvenCall['headers'],
  { baseUrl }: Pick<ResolvedOptions, 'baseUrl'>,
  isForwarded: boolean,
): string[] {
  const listed = connectionOptions(req.headers.connection);
  const headers: string[] = [];
  const { rawHeaders } = req;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    // "X_Real_IP" and "X-Real-IP" are the same to servers that make variables of them.
    const plain = name.replaceAll('_', '-');
    if (neverSent.has(plain) || plain.startsWith(forwardedPrefix) || listed.includes(name))
      continue;
    headers.push(name, rawHeaders[index + 1] ?? '');
  }
  headers.push('authorization', proven.authorization, 'via', `${req.httpVersion} ${viaName}`);
  if (proven.dpop !== undefined) headers.push('dpop', proven.dpop);
  if (isForwarded) {
    // No host name is taken from a request.
    const { host, protocol } = new URL(baseUrl);
    headers.push('x-forwarded-for', req.ip ?? '', 'x-forwarded-host', host);
    headers.push('x-forwarded-proto', protocol.slice(0, -1));
  }
  return headers;
}

/** Status and headers of the API's answer, as they go to the browser. */
export function sendHead(
  res: Response,
  { status, headers }: UpstreamAnswer,
  rewriteLocation: (location: string) => string,
): void {
  const listed = connectionOptions(headers.connection);
  const { location, 'cache-control': caching } = headers;
  const own: IncomingHttpHeaders = { ...headers };
  if (location !== undefined) own.location = rewriteLocation(location);
  if (!saysWhoMayKeepIt(caching)) own['cache-control'] = addPrivate(caching);
  const entries = Object.entries(own).filter(
    ([name]) => !neverAnswered.has(name) && !name.startsWith(corsPrefix) && !listed.includes(name),
  );
  try {
    for (const [name, value] of entries) {
      if (value !== undefined) res.setHeader(name, value);
    }
    res.statusCode = status;
  } catch (error) {
    // What has been set is of no use on the answer that comes in its place.
    for (const [name] of entries) res.removeHeader(name);
    throw error;
  }
}

/**
 * Whether the API says itself whether caches may keep its answer for others. Without that no shared cache keeps
 * the answer to a request with a token; those in front of this application see no token, so they are told.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9111#section-3.5 RFC 9111 section 3.5}
 */
function saysWhoMayKeepIt(caching = ''): boolean {
  return caching
    .toLowerCase()
    .split(/[\s,]+/)
    .some((directive) => /^(public|private|no-store|s-maxage=.*)$/.test(directive));
}

function addPrivate(caching: string | undefined): string {
  return caching === undefined || caching === '' ? 'private' : `${caching}, private`;
}
