import type { Request, RequestHandler, Response } from 'express';
import { OptionsError, ProxyError } from '../../errors.ts';
import { publish } from '../../events.ts';
import { isInvalidToken, isNonceDemanded } from '../../oidc/step-up.ts';
import { checkApiUrl } from '../api-url.ts';
import type { FlowParts } from '../flow-parts.ts';
import { admit, checkScope, createGuard, type Guard, type GuardOptions } from '../guard.ts';
import type { RequestContext } from '../oidc-context.ts';
import { refuseRequest } from '../refuse-request.ts';
import { readProxiedBody } from './proxied-body.ts';
import { sendHead, upstreamHeaders } from './proxy-headers.ts';
import { type ProxyTarget, pathWithin, readProxyTarget } from './proxy-target.ts';
import { createUpstream, type Upstream, type UpstreamAnswer } from './upstream.ts';

/** Options of `proxy()`. */
export interface ProxyOptions<Claims = unknown> extends GuardOptions<Claims> {
  /**
   * The API: an origin, and a path that requests go below. What `app.use()` has taken off the path stays
   * off: `app.use('/api', oidc.proxy({ target: 'https://api.example/v1' }))` sends `/api/orders` to
   * `https://api.example/v1/orders`.
   */
  target: string;
  /** Seconds that the API may keep still: before its answer, and between two parts of it. @default 60 */
  timeoutSeconds?: number | undefined;
  /**
   * Whether the API is told of the browser's request: `X-Forwarded-For` by the `trust proxy` of the
   * application, `-Host` and `-Proto` by `baseUrl`. What the caller says of these is never sent.
   *
   * @default false
   */
  forwarded?: boolean | undefined;
  /**
   * Whether a `Location` below the target is changed to the path below which this proxy is mounted.
   *
   * @default false
   */
  rewriteRedirects?: boolean | undefined;
  /**
   * Allows an http `target` beyond loopback.
   *
   * @deprecated Who can read the network then reads access tokens.
   */
  dangerouslyAllowInsecureTarget?: boolean | undefined;
}

/** What is made of the options once, also for the flows of many tenants. */
interface Proxy {
  readonly target: ProxyTarget;
  readonly upstream: Upstream;
  readonly isForwarded: boolean;
  readonly rewritesRedirects: boolean;
}

const proxies = new WeakMap<ProxyOptions, Proxy>();

/** @throws {@link OptionsError} when `target` or `timeoutSeconds` cannot be one */
export function prepareProxy(options: ProxyOptions): Proxy {
  const before = proxies.get(options);
  if (before !== undefined) return before;
  const { timeoutSeconds = defaultTimeoutSeconds } = options;
  const target = readProxyTarget(options.target, options.dangerouslyAllowInsecureTarget === true);
  const proxy = {
    target,
    upstream: createUpstream(target, checkTimeout(timeoutSeconds)),
    isForwarded: options.forwarded ?? false,
    rewritesRedirects: options.rewriteRedirects ?? false,
  };
  proxies.set(options, proxy);
  return proxy;
}

const defaultTimeoutSeconds = 60;

const maxTimeoutSeconds = 86_400;

function checkTimeout(seconds: unknown): number {
  if (typeof seconds === 'number' && seconds > 0 && seconds <= maxTimeoutSeconds) return seconds;
  throw new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    'proxy.timeoutSeconds',
    `"timeoutSeconds" must be a number of seconds, above 0 and at most ${maxTimeoutSeconds}`,
  );
}

/**
 * Sends signed-in requests on to an API, with a fresh bearer token, and streams the answers back.
 *
 * @throws {@link OptionsError} when an option cannot be what it is
 */
export function proxy(parts: FlowParts, options: ProxyOptions): RequestHandler {
  const guard = createGuard(parts, options, true);
  const prepared = prepareProxy(options);
  checkApiUrl(prepared.target.origin, 'proxy.target', parts.options);

  return function hybridProxy(req, res, next) {
    forward(parts, prepared, guard, req, res).catch((error: unknown) => {
      // The caller has gone, and nobody is there to be told.
      if (res.closed && !res.errored) return undefined;
      if (!res.headersSent) {
        // What is left of a body that was on its way, as Node does with bodies that nobody has begun to read.
        if (req.readableDidRead) req.unpipe().resume();
        return refuseRequest(parts, req, res, next, error, guard.refusal);
      }
      // Too late for an answer of ours: the caller sees that the API's is not whole.
      if (error instanceof ProxyError) publish('error', { error, req });
      res.destroy();
      return undefined;
    });
  };
}

async function forward(
  parts: FlowParts,
  { target, upstream, isForwarded, rewritesRedirects }: Proxy,
  guard: Guard,
  req: Request,
  res: Response,
): Promise<void> {
  refuseUnsupported(req);
  const path = pathWithin(target, req.url);
  const { context, accessToken = '' } = await admit(parts, req, guard);
  req.oidc = context;
  const body = await readProxiedBody(req);
  const isStream = body !== null && !Buffer.isBuffer(body);
  const rewrite = rewritesRedirects
    ? (location: string) => rewriteLocation(location, path, target, req, parts)
    : (location: string) => location;

  const contentLength = isStream ? req.headers['content-length'] : undefined;

  const send = async (token: string, retries: Retries): Promise<Retry | undefined> => {
    const proven = await context.prove(token, req.method, target.origin + path);
    const headers = upstreamHeaders(req, proven.headers, parts.options, isForwarded);
    let retry: Retry | undefined;
    const { mutualTls } = parts;
    const request = { method: req.method, path, headers, body, contentLength, mutualTls };
    await upstream.send(request, res, (answer) => {
      const isNonceNew = proven.learn(answer.headers['dpop-nonce']);
      retry = retryFor(answer, context, isNonceNew, retries);
      if (retry !== undefined) return false;
      sendHead(res, answer, rewrite);
      // What is left of a body that the API did not wait for is no next request.
      if (!req.complete) res.setHeader('connection', 'close');
      return true;
    });
    return retry;
  };

  let token = accessToken;
  const retries: Retries = { token: !isStream && context.isRenewable, nonce: !isStream };
  let retry = await send(token, retries);
  while (retry !== undefined) {
    retries[retry] = false;
    if (retry === 'token') {
      const renewed = await context.replaceRejected(token);
      checkScope(renewed?.scope ?? '', guard);
      token = renewed?.accessToken ?? token;
    }
    retry = await send(token, retries);
  }
}

/** Why a request is sent once more: with another token, or with a nonce that the API wants in the proof. */
type Retry = 'token' | 'nonce';

/** What has not been tried yet, of a request that can be sent once more. */
type Retries = Record<Retry, boolean>;

/** @throws {@link ProxyError} `ERR_OIDC_PROXY_UNSUPPORTED` */
function refuseUnsupported({ method, headers }: Request): void {
  // An API that answers TRACE sends the token back to the browser.
  if (method === 'TRACE' || method === 'CONNECT') throw unsupported(`the method ${method}`);
  if (/\bwebsocket\b/i.test(headers.upgrade ?? '')) throw unsupported('a WebSocket');
}

function unsupported(what: string): ProxyError {
  return new ProxyError('ERR_OIDC_PROXY_UNSUPPORTED', `${what} is not proxied`);
}

/**
 * How a request may be sent once more in place of an answer that refuses it; `undefined` for an answer that goes to the
 * caller.
 *
 * @throws {@link StepUpError} where the API wants another login
 */
function retryFor(
  { status, headers }: UpstreamAnswer,
  context: RequestContext,
  isNonceNew: boolean,
  retries: Retries,
): Retry | undefined {
  if (status !== 401) return undefined;
  const answer = { status, headers: { get: (name: string) => String(headers[name] ?? '') } };
  if (retries.nonce && isNonceNew && isNonceDemanded(answer)) return 'nonce';
  if (retries.token && isInvalidToken(answer)) return 'token';
  const stepUp = context.stepUpFor(answer);
  if (stepUp !== undefined) throw stepUp;
  return undefined;
}

/** From a URL below the target to the path at which browsers find it; all others stay what they are. */
function rewriteLocation(
  location: string,
  path: string,
  { origin, prefix }: ProxyTarget,
  req: Request,
  { options }: FlowParts,
): string {
  const base = origin + path;
  if (!URL.canParse(location, base)) return location;
  const url = new URL(location, base);
  const isWithin = url.pathname === prefix || url.pathname.startsWith(`${prefix}/`);
  if (url.origin !== origin || !isWithin) return location;
  const { basePath } = options;
  // A proxy in front may have taken the path of `baseUrl` away.
  const mount = `${req.baseUrl}/`.startsWith(`${basePath}/`) ? req.baseUrl : basePath + req.baseUrl;
  // "//host" is another host to browsers.
  const rest = url.pathname.slice(prefix.length).replace(/^\/*/, '/');
  return `${mount}${rest}${url.search}${url.hash}`;
}
