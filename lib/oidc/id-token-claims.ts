/** Whether a claim is a NumericDate (RFC 7519 2); `1e999` in JSON is none. */
export function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}

/** Claims of an ID Token that passed every check. */
export interface IdTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nonce?: string;
  readonly auth_time?: number;
  readonly acr?: string;
  readonly azp?: string;
  readonly sid?: string;
  readonly [claim: string]: unknown;
}

/** What the UserInfo Endpoint says of the user whose ID Token has the same `sub`. */
export interface UserinfoClaims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}
