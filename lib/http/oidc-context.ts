import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import type { TokenRecord } from '../tokens/token-record.ts';
import type { FlowParts } from './flow-parts.ts';
import type { CurrentLogin } from './login-session.ts';

declare global {
  namespace Express {
    interface Request {
      /** The login of this request: there after `requireAuth()`, and after `optionalAuth()` if signed in. */
      oidc?: OidcContext;
    }
  }
}

/** An access token that is good at the moment it is handed out. */
export interface AccessToken {
  /** The token itself: for the `Authorization` header of a call to the API, and nowhere else. */
  readonly value: string;
  readonly tokenType: 'Bearer';
  /** Epoch seconds; `undefined` where the OP does not say. */
  readonly expiresAt: number | undefined;
  readonly scope: readonly string[];
}

/** What `req.oidc` is on a request that is signed in. */
export interface OidcContext {
  /** Claims of the newest ID Token. */
  readonly claims: IdTokenClaims;
  /**
   * A fresh access token, renewed first where its end is near.
   *
   * @throws {@link AuthenticationError} `ERR_OIDC_LOGIN_ENDED`
   * @throws {@link ProviderError} when the OP fails and the present token has expired
   */
  accessToken(): Promise<AccessToken>;
  /**
   * `fetch` with a fresh access token in the `Authorization` header. For your API's URLs only.
   *
   * Where the API refuses the token as invalid (RFC 6750 3.1), it is renewed and the request sent
   * once more, unless its body can be read but once.
   */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
}

/** {@link OidcContext} of one request. */
export class RequestContext implements OidcContext {
  readonly #parts: FlowParts;
  readonly #login: CurrentLogin;
  #record: TokenRecord;

  constructor(parts: FlowParts, login: CurrentLogin) {
    this.#parts = parts;
    this.#login = login;
    this.#record = login.record;
  }

  get claims(): IdTokenClaims {
    return this.#record.tokens.claims;
  }

  get scope(): readonly string[] {
    return this.#record.tokens.scope.split(' ');
  }

  async accessToken(): Promise<AccessToken> {
    const { place, cookie } = this.#login;
    this.#record = await this.#parts.freshTokens.renew(place, this.#record, cookie);
    const { accessToken, expiresAt } = this.#record.tokens;
    return { value: accessToken, tokenType: 'Bearer', expiresAt, scope: this.scope };
  }

  async fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    const { value } = await this.accessToken();
    const response = await this.#send(input, init, value);
    if (!isInvalidToken(response) || !isRepeatable(init.body)) return response;
    if (this.#record.tokens.refreshToken === undefined) return response;
    await response.body?.cancel();
    const { place, cookie } = this.#login;
    this.#record = await this.#parts.freshTokens.replaceRejected(place, this.#record, cookie);
    return this.#send(input, init, this.#record.tokens.accessToken);
  }

  #send(input: string | URL, init: RequestInit, accessToken: string): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${accessToken}`);
    return this.#parts.options.fetch(input, { ...init, headers });
  }
}

/** Streams and generators are gone once they were sent. */
function isRepeatable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  const repeatable = [ArrayBuffer, Blob, FormData, URLSearchParams];
  return ArrayBuffer.isView(body) || repeatable.some((type) => body instanceof type);
}

/** RFC 6750 3.1: the token is expired, revoked or malformed, and another one may do. */
function isInvalidToken(response: Response): boolean {
  if (response.status !== 401) return false;
  return /\berror="?invalid_token\b/i.test(response.headers.get('www-authenticate') ?? '');
}
