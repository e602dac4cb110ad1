import type { Request } from 'express';
import { ValidationError } from '../errors.ts';

/**
 * Headers of one connection, RFC 9110 7.6.1. `Transfer-Encoding` stays, although it is one of them:
 * it says that there is a body, which the proxy frames anew.
 */
export const hopByHop: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
];

/** What `Connection` cannot take away: a caller could strip the token, or the framing, with it. */
const neverListed = [
  'authorization',
  'dpop',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
];

/**
 * Puts a fresh bearer token in the place of whatever the caller sent, or removes that.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 section 2.1}
 */
export function setBearer(req: Request, accessToken: string | undefined): void {
  removeHeaders(req, ['authorization']);
  if (accessToken === undefined) return;
  const value = `Bearer ${accessToken}`;
  req.rawHeaders.push('Authorization', value);
  req.headers.authorization = value;
}

/**
 * The same with a proof beside the token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 section 7.1}
 */
export function setAuthorization(
  req: Request,
  { authorization, dpop }: { readonly authorization?: string; readonly dpop?: string },
): void {
  removeHeaders(req, ['authorization', 'dpop']);
  if (authorization === undefined) return;
  req.rawHeaders.push('Authorization', authorization);
  req.headers.authorization = authorization;
  if (dpop === undefined) return;
  req.rawHeaders.push('DPoP', dpop);
  req.headers['dpop'] = dpop;
}

/**
 * Leaves on a request what is meant for the API behind: no cookie, as these are between the browser
 * and the application, and no header of this one connection.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 RFC 9110 section 7.6.1}
 */
export function keepFromDownstream(req: Request): void {
  refuseUnframedBody(req);
  withheldCookies.set(req, req.headers.cookie);
  // What the application itself has set is no header of the connection, whatever it is called.
  const isSent = (name: string): boolean =>
    req.rawHeaders.some((raw, index) => index % 2 === 0 && raw.toLowerCase() === name);
  const removable = connectionOptions(req.headers.connection).filter(isSent);
  removeHeaders(req, ['cookie', ...hopByHop, ...removable]);
}

/** Headers that `Connection` names as those of the connection, but for what must not get lost by it. */
export function connectionOptions(connection: string | undefined): string[] {
  if (connection === undefined) return [];
  return connection
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => !neverListed.includes(name));
}

/**
 * Gives a request its cookies back, for an answer of our own in place of the API's: a login finds the
 * visitor's session and other logins by them.
 */
export function restoreCookies(req: Request): void {
  const cookie = withheldCookies.get(req);
  if (cookie !== undefined) req.headers.cookie = cookie;
}

const withheldCookies = new WeakMap<Request, string | undefined>();

/**
 * With these methods proxies expect no body, and http-proxy takes the framing of a chunked one away:
 * what is left of it would be read as the next request on the connection to the API.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-11.2 RFC 9112 section 11.2}
 * @throws {@link ValidationError} `ERR_OIDC_PROXIED_BODY`
 */
export function refuseUnframedBody(req: Request): void {
  const isBodyUsual = ['POST', 'PUT', 'PATCH'].includes(req.method);
  if (isBodyUsual || req.headers['transfer-encoding'] === undefined) return;
  throw new ValidationError(
    'ERR_OIDC_PROXIED_BODY',
    'RFC 9112 11.2',
    `a proxied ${req.method} with a body needs a Content-Length`,
  );
}

/**
 * From all places where proxies look for headers. Node makes `headers` of `rawHeaders` when it is first
 * read, counting on its length: so it is read before that changes.
 */
function removeHeaders(req: Request, names: readonly string[]): void {
  const { headers, rawHeaders } = req;
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (names.includes(rawHeaders[index]?.toLowerCase() ?? '')) rawHeaders.splice(index, 2);
  }
  for (const name of names) {
    if (headers[name] !== undefined) delete headers[name];
  }
  // To define it is dear, and a request comes here at least twice.
  const { get } = Object.getOwnPropertyDescriptor(req, 'headersDistinct') ?? {};
  if (get !== distinctHeaders.get) Object.defineProperty(req, 'headersDistinct', distinctHeaders);
}

/**
 * `headersDistinct` of a request whose `rawHeaders` were changed. Node makes it of these when it is first
 * read, and counts on their length; so few read it that it is made for those only.
 */
const distinctHeaders: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  get() {
    const distinct: NodeJS.Dict<string[]> = Object.create(null);
    for (let index = 0; index < this.rawHeaders.length; index += 2) {
      const name = this.rawHeaders[index]?.toLowerCase() ?? '';
      distinct[name] ??= [];
      distinct[name].push(this.rawHeaders[index + 1] ?? '');
    }
    this.headersDistinct = distinct;
    return distinct;
  },
  set(value: NodeJS.Dict<string[]>) {
    Object.defineProperty(this, 'headersDistinct', { configurable: true, writable: true, value });
  },
};
