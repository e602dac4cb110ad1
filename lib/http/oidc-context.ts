import type { Request } from 'express';
import type { AuthorizationDetail } from '../authorization-details.ts';
import { AuthenticationError, HybridFlowError, StepUpError } from '../errors.ts';
import type { AccessTokenSet } from '../oidc/code-exchange.ts';
import type { DpopKey } from '../oidc/dpop.ts';
import type { IdTokenClaims, UserinfoClaims } from '../oidc/id-token-claims.ts';
import {
  type ApiAnswer,
  isInvalidToken,
  isNonceDemanded,
  narrowDemands,
  readStepUpChallenge,
  satisfiesDemands,
} from '../oidc/step-up.ts';
import {
  type ResolvedTarget,
  resolveTarget,
  scopeTokens,
  type TokenTarget,
} from '../oidc/token-target.ts';
import { requestUserinfo } from '../oidc/userinfo.ts';
import { accessTokenFor, type TokenRecord } from '../tokens/token-record.ts';
import type { StoredLogin } from '../tokens/token-store.ts';
import { checkApiUrl } from './api-url.ts';
import type { FlowParts } from './flow-parts.ts';
import type { GuardedLocals, LoginOf } from './guard-handler.ts';

declare global {
  namespace Express {
    interface Request {
      /**
       * The login of this request: there after `requireAuth()`, and after `optionalAuth()` if signed in.
       * Inline handlers of a guarded route see it typed so.
       */
      oidc: LoginOf<this>;
    }
  }
}

/** An access token that is good at the moment it is handed out. */
export interface AccessToken {
  /** The token itself: for the `Authorization` header of a call to the API, and nowhere else. */
  readonly value: string;
  /** `DPoP` with the option `dpop`: it is worth nothing without a proof; see `headersFor`. */
  readonly tokenType: 'Bearer' | 'DPoP';
  /** Epoch seconds; `undefined` where the OP does not say. */
  readonly expiresAt: number | undefined;
  readonly scope: readonly string[];
}

/**
 * A request that has passed `requireAuth()`: for handlers that are declared away from their route. The
 * compiler does not see whether a guard comes before them there.
 */
export type AuthenticatedRequest<
  Claims = unknown,
  Params = Record<string, string>,
  ResBody = unknown,
  // biome-ignore lint/suspicious/noExplicitAny: the default of Express, for what a body parser makes
  ReqBody = any,
  Query = Request['query'],
> = Request<Params, ResBody, ReqBody, Query, GuardedLocals<OidcContext<Claims>>>;

/** What `req.oidc` is on a request that is signed in. */
export interface OidcContext<Claims = unknown> {
  /** Claims of the newest ID Token. */
  readonly claims: IdTokenClaims & Claims;
  /**
   * A fresh access token, renewed first where its end is near: for the API of the route's guard, or
   * for another one, which then has a token of its own.
   *
   * @param target an API to get a token for by the login's refresh token
   * @throws {@link OptionsError} when the target cannot be one
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED`
   * @throws {@link ProviderError} when the OP fails and the present token has expired
   */
  accessToken(target?: TokenTarget): Promise<AccessToken>;
  /**
   * A token for an API behind the one that the login is for, in exchange for the login's access token
   * (RFC 8693). It lives no longer than that one, is kept until then, and never takes its place. The same as
   * `accessToken({ …target, exchange: true })`, which `fetch` takes as well.
   *
   * @throws {@link ProviderError} `ERR_OIDC_EXCHANGE_REFUSED`, `ERR_OIDC_TARGET_REFUSED`
   * @throws {@link ValidationError} when something else comes than was asked for
   */
  exchange(target: Omit<TokenTarget, 'exchange'>): Promise<AccessToken>;
  /**
   * `fetch` with a fresh access token in the `Authorization` header. For the URLs of that one API only.
   *
   * Where the API refuses the token as invalid (RFC 6750 3.1), it is renewed and the request sent
   * once more, unless its body can be read but once.
   *
   * @param target as for `accessToken`
   * @throws {@link StepUpError} where the API wants the user to sign in anew (RFC 9470), and that
   *   would help
   */
  fetch(input: string | URL, init?: RequestInit, target?: TokenTarget): Promise<Response>;
  /**
   * Headers of one call to an API, for HTTP clients other than `fetch`: `authorization` with a fresh access
   * token, and with the option `dpop` a proof for this method and URL, good for this one call.
   *
   * @param target as for `accessToken`
   */
  headersFor(
    method: string,
    url: string | URL,
    target?: TokenTarget,
  ): Promise<Readonly<Record<string, string>>>;
  /**
   * What the UserInfo Endpoint says of the user now, asked with a fresh access token; nothing is
   * cached, and `claims` do not change by it.
   *
   * @param target the access token to ask with. @default that of the login
   * @throws {@link ProviderError} when the OP has no such endpoint, fails, or refuses the token
   * @throws {@link ValidationError} when the answer is another user's, or not the OP's
   */
  userinfo(target?: TokenTarget): Promise<UserinfoClaims>;
  /** The claims that the option `loadUserinfo` names, as they were at login; else empty. */
  readonly loadedUserinfo: Readonly<Record<string, unknown>>;
  /** What the OP has granted of the option `authorizationDetails`, to the newest access token of the login. */
  readonly authorizationDetails: readonly AuthorizationDetail[];
}

const flows = new WeakMap<Error, FlowParts>();

/** The flow whose `req.oidc` has thrown an error. */
export function flowOf(error: unknown): FlowParts | undefined {
  return error instanceof Error ? flows.get(error) : undefined;
}

/**
 * The login of a request, where the compiler cannot see that a guard has let it pass.
 *
 * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_REQUIRED` where none has
 */
export function contextOf(parts: FlowParts, req: Request): OidcContext {
  if (req.oidc !== undefined) return req.oidc;
  const error = new AuthenticationError('ERR_OIDC_LOGIN_REQUIRED', 'this request has no login');
  flows.set(error, parts);
  throw error;
}

/** What one call to an API takes. */
export interface ProvenCall {
  readonly headers: { readonly authorization: string; readonly dpop?: string };
  /** Takes the nonce of the answer; whether a second call may succeed by it. */
  readonly learn: (nonce: unknown) => boolean;
}

/** {@link OidcContext} of one request. */
export class RequestContext implements OidcContext {
  readonly #parts: FlowParts;
  readonly #target: ResolvedTarget;
  #login: StoredLogin;

  constructor(parts: FlowParts, login: StoredLogin, target: ResolvedTarget) {
    this.#parts = parts;
    this.#login = login;
    this.#target = target;
  }

  get claims(): IdTokenClaims {
    return this.#login.record.tokens.claims;
  }

  /** The token for the API of the guard, if nothing has to be waited for. */
  presentToken(): AccessTokenSet | undefined {
    if (!this.#parts.freshTokens.isFit(this.#login, this.#target)) return undefined;
    return accessTokenFor(this.#login.record, this.#target);
  }

  /** The token for the API of the guard, renewed where its end is near. */
  freshToken(): Promise<AccessTokenSet> {
    return this.#mark(this.#fresh(this.#target));
  }

  get authorizationDetails(): readonly AuthorizationDetail[] {
    return this.#login.record.tokens.authorizationDetails ?? [];
  }

  get loadedUserinfo(): Readonly<Record<string, unknown>> {
    return this.#login.record.tokens.userinfo ?? {};
  }

  async userinfo(target: TokenTarget = {}): Promise<UserinfoClaims> {
    return this.#mark(this.#userinfo(target));
  }

  async #userinfo(target: TokenTarget): Promise<UserinfoClaims> {
    const { provider, options } = this.#parts;
    const { accessToken } = await this.#fresh(resolveTarget(target, options));
    return requestUserinfo(accessToken, this.claims, provider, options, this.#dpop);
  }

  /** Whether a token that an API refuses can be replaced. */
  get isRenewable(): boolean {
    return this.#login.record.tokens.refreshToken !== undefined;
  }

  /**
   * The token for the API of the guard after one that the API has refused; the same one, where another was
   * refused a moment ago.
   */
  async replaceRejected(rejected: string): Promise<AccessTokenSet | undefined> {
    return this.#mark(this.#replace(this.#target, rejected));
  }

  /** What a login has to be like before the API serves it, if this one falls short and another would not. */
  stepUpFor(answer: ApiAnswer): StepUpError | undefined {
    const challenge = readStepUpChallenge(answer);
    const demands = challenge && narrowDemands(challenge, this.#parts.options);
    if (demands === undefined || satisfiesDemands(this.claims, demands, this.#parts.options)) {
      return undefined;
    }
    return new StepUpError(demands);
  }

  async accessToken(target?: TokenTarget): Promise<AccessToken> {
    const { accessToken, expiresAt, scope } = await this.#mark(this.#fresh(this.#resolve(target)));
    const tokenType = this.#dpop === undefined ? 'Bearer' : 'DPoP';
    return { value: accessToken, tokenType, expiresAt, scope: scopeTokens(scope) };
  }

  /** The key that the tokens of this login are bound to. */
  get #dpop(): DpopKey | undefined {
    return this.#login.record.tokens.dpop;
  }

  /** Whether a call to an API takes more than the token. */
  get isProven(): boolean {
    return this.#dpop !== undefined;
  }

  async headersFor(
    method: string,
    url: string | URL,
    target?: TokenTarget,
  ): Promise<Readonly<Record<string, string>>> {
    const { accessToken } = await this.#mark(this.#fresh(this.#resolve(target)));
    return (await this.prove(accessToken, method, url)).headers;
  }

  /** The same for an access token at hand. */
  async prove(accessToken: string, method: string, url: string | URL): Promise<ProvenCall> {
    checkApiUrl(url, 'url', this.#parts.options);
    const key = this.#dpop;
    if (key === undefined) {
      return { headers: { authorization: `Bearer ${accessToken}` }, learn: () => false };
    }
    const request = { method, url, accessToken };
    const { jwt, learn } = await this.#parts.provider.dpop.prove(key, request, 'api');
    return { headers: { authorization: `DPoP ${accessToken}`, dpop: jwt }, learn };
  }

  exchange(target: Omit<TokenTarget, 'exchange'>): Promise<AccessToken> {
    return this.accessToken({ ...target, exchange: true });
  }

  async fetch(
    input: string | URL,
    init: RequestInit = {},
    target?: TokenTarget,
  ): Promise<Response> {
    return this.#mark(this.#fetch(input, init, target));
  }

  /** Errors carry their flow along, as several may be mounted. */
  async #mark<T>(pending: Promise<T>): Promise<T> {
    try {
      return await pending;
    } catch (error) {
      if (error instanceof HybridFlowError) flows.set(error, this.#parts);
      throw error;
    }
  }

  async #fetch(
    input: string | URL,
    init: RequestInit,
    target: TokenTarget | undefined,
  ): Promise<Response> {
    const resolved = this.#resolve(target);
    const { accessToken } = await this.#fresh(resolved);
    const response = await this.#sendProven(input, init, accessToken);
    if (isInvalidToken(response) && isRepeatable(init.body)) {
      return this.#retry(input, init, resolved, accessToken, response);
    }
    return this.#refuseWeakLogin(response);
  }

  async #retry(
    input: string | URL,
    init: RequestInit,
    target: ResolvedTarget,
    rejected: string,
    response: Response,
  ): Promise<Response> {
    // A token that was had in exchange is had again without a refresh token.
    if (target.requestedTokenType === undefined && !this.isRenewable) return response;
    const token = (await this.#replace(target, rejected))?.accessToken;
    if (token === undefined || token === rejected) return response;
    await response.body?.cancel();
    return this.#refuseWeakLogin(await this.#sendProven(input, init, token));
  }

  async #refuseWeakLogin(response: Response): Promise<Response> {
    const stepUp = this.stepUpFor(response);
    if (stepUp === undefined) return response;
    await response.body?.cancel();
    throw stepUp;
  }

  async #replace(target: ResolvedTarget, rejected: string): Promise<AccessTokenSet | undefined> {
    const { freshTokens } = this.#parts;
    this.#take(await freshTokens.replaceRejected(this.#login, target, rejected));
    return accessTokenFor(this.#login.record, target);
  }

  #resolve(target: TokenTarget | undefined): ResolvedTarget {
    return target === undefined ? this.#target : resolveTarget(target, this.#parts.options);
  }

  async #fresh(target: ResolvedTarget): Promise<AccessTokenSet> {
    this.#take(await this.#parts.freshTokens.renew(this.#login, target));
    const token = accessTokenFor(this.#login.record, target);
    if (token !== undefined) return token;
    throw new TypeError('a renewed record has a token for its target');
  }

  #take(record: TokenRecord): void {
    if (record !== this.#login.record) this.#login = { ...this.#login, record };
  }

  /** Once more, where an API wants its nonce in the proof. RFC 9449 9. */
  async #sendProven(
    input: string | URL,
    init: RequestInit,
    accessToken: string,
  ): Promise<Response> {
    const { response, isNonceNew } = await this.#send(input, init, accessToken);
    if (!isNonceNew || !isNonceDemanded(response) || !isRepeatable(init.body)) return response;
    await response.body?.cancel();
    return (await this.#send(input, init, accessToken)).response;
  }

  async #send(
    input: string | URL,
    init: RequestInit,
    accessToken: string,
  ): Promise<{ response: Response; isNonceNew: boolean }> {
    const { options, mutualTls } = this.#parts;
    const headers = new Headers(init.headers);
    const proven = await this.prove(accessToken, normalized(init.method), input);
    for (const [name, value] of Object.entries(proven.headers)) headers.set(name, value);
    const dispatcher = await mutualTls?.dispatcher();
    const connection = dispatcher === undefined ? {} : { dispatcher };
    const wanted = { ...init, headers, ...connection } as RequestInit;
    const response = await options.fetch(input, wanted);
    return { response, isNonceNew: proven.learn(response.headers.get('dpop-nonce')) };
  }
}

/** As fetch sends it; `patch` it leaves as it is. */
function normalized(method = 'GET'): string {
  const upper = method.toUpperCase();
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method;
}

/** Streams and generators are gone once they were sent. */
function isRepeatable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  const repeatable = [ArrayBuffer, Blob, FormData, URLSearchParams];
  return ArrayBuffer.isView(body) || repeatable.some((type) => body instanceof type);
}
