import type { Request } from 'express';
import { AuthenticationError, StepUpError } from '../errors.ts';
import type { IdTokenClaims } from '../oidc/id-token-claims.ts';
import { isMetBy, type LoginRequest } from '../oidc/login-request.ts';
import {
  type ResolvedTarget,
  resolveTarget,
  scopeTokens,
  type TokenTarget,
} from '../oidc/token-target.ts';
import type { LoginOptions } from '../options.ts';
import type { FlowParts } from './flow-parts.ts';
import { loginReader } from './login.ts';
import { isForged } from './negotiation.ts';
import { RequestContext } from './oidc-context.ts';
import { defaultAnswer, type Refusal, type Unauthenticated } from './refuse-request.ts';

/** What `requireAuth()` and `proxy()` ask of a request. */
export interface GuardOptions<Claims = unknown> {
  /**
   * The API that the token is for, if it is not that of the login: an absolute URI. Wire name:
   * `resource` (RFC 8707).
   */
  resource?: string | undefined;
  /** The same at OPs that take Auth0's parameter. Wire name: `audience`. */
  audience?: string | undefined;
  /**
   * Space-separated scope that the access token must have; else 403. With `resource` or `audience` it
   * is also what the token is asked for with.
   */
  scope?: string | undefined;
  /** Whether the user may pass: by `true`, and by nothing else; else 403. It is not asynchronous. */
  claims?: ((claims: IdTokenClaims & Claims) => boolean) | undefined;
  /**
   * What a login asks for that begins here. `acrValues`, `maxAge` and `organization` are asked of
   * whoever is signed in already, too: who is not what they say has to sign in anew.
   */
  login?: LoginOptions | ((req: Request) => LoginOptions | undefined) | undefined;
  /** @default 'login' for navigations of a browser, 'problem' for all other requests */
  onUnauthenticated?: Unauthenticated | ((req: Request) => Unauthenticated) | undefined;
}

/** {@link GuardOptions}, looked at once. */
export interface Guard {
  readonly target: ResolvedTarget;
  readonly scope: readonly string[];
  readonly claims: GuardOptions['claims'];
  readonly needsToken: boolean;
  readonly login: ((req: Request) => LoginRequest | undefined) | undefined;
  /** How it answers a request that it does not let through. */
  readonly refusal: Refusal;
}

/** @throws {@link OptionsError} when `resource`, `audience`, `scope` or `login` cannot be one */
export function createGuard(parts: FlowParts, options: GuardOptions, needsToken: boolean): Guard {
  const { onUnauthenticated = defaultAnswer, resource, audience, scope } = options;
  const answerFor =
    typeof onUnauthenticated === 'function' ? onUnauthenticated : () => onUnauthenticated;
  const isOfLogin = resource === undefined && audience === undefined;
  const target: TokenTarget = isOfLogin ? {} : { resource, audience, scope };
  const login = loginReader(options.login);
  return {
    target: resolveTarget(target, parts.options),
    scope: scopeTokens(scope),
    claims: options.claims,
    needsToken,
    login,
    refusal: { answerFor, login },
  };
}

/**
 * Checks what a guard wants, where the flows that it is for are not known yet.
 *
 * @throws {@link OptionsError} when `resource`, `audience`, `scope` or `login` cannot be one
 */
export function checkGuard({ resource, audience, scope, login }: GuardOptions): void {
  resolveTarget({ resource, audience, scope }, { resources: [], audience: undefined });
  loginReader(login);
}

/** A request that a guard lets through. */
export interface Admitted {
  readonly context: RequestContext;
  /** Fresh, and for the API of the guard; `undefined` where the guard needs none. */
  readonly accessToken: string | undefined;
}

/**
 * Lets a request in that is signed in as its guard wants.
 *
 * @throws {@link AuthenticationError}
 * @throws {@link ProviderError} when the OP fails and the present token has expired
 */
export async function admit(parts: FlowParts, req: Request, guard: Guard): Promise<Admitted> {
  if (isForged(req, parts.options.origin, parts.options.trustedOrigins)) {
    throw new AuthenticationError(
      'ERR_OIDC_CROSS_SITE_REQUEST',
      'another site sent a request that changes something; see trustedOrigins',
    );
  }
  const login = await parts.loginSessions.current(req);
  if (login === undefined) {
    throw new AuthenticationError('ERR_OIDC_LOGIN_REQUIRED', 'this request has no login');
  }
  const context = new RequestContext(parts, login, guard.target);
  checkLogin(context, guard.login?.(req), parts.options);
  const token = guard.needsToken
    ? (context.presentToken() ?? (await context.freshToken()))
    : undefined;
  // A scope that nobody asks for is not read from the record.
  if (guard.scope.length > 0) checkScope((token ?? login.record.tokens).scope, guard);
  checkClaims(context, guard);
  return { context, accessToken: token?.accessToken };
}

/** By a StepUpError where API callers have to be told which login it takes. */
function checkLogin(
  context: RequestContext,
  wanted: LoginRequest | undefined,
  options: FlowParts['options'],
): void {
  if (wanted === undefined) return;
  const { claims } = context;
  if (isMetBy(claims, wanted, options)) return;
  if (!isMetBy(claims, { ...wanted, organization: undefined }, options)) {
    throw new StepUpError(wanted);
  }
  throw new AuthenticationError(
    'ERR_OIDC_LOGIN_REQUIRED',
    'this route wants a login with another organization',
  );
}

/** @throws {@link AuthenticationError} `ERR_OIDC_INSUFFICIENT_SCOPE` */
export function checkScope(scope: string, guard: Pick<Guard, 'scope'>): void {
  const granted = scopeTokens(scope);
  const missing = guard.scope.filter((wanted) => !granted.includes(wanted));
  if (missing.length === 0) return;
  throw new AuthenticationError(
    'ERR_OIDC_INSUFFICIENT_SCOPE',
    `the access token lacks the scope ${missing.join(' ')}`,
  );
}

function checkClaims(context: RequestContext, guard: Guard): void {
  if (guard.claims === undefined || guard.claims(context.claims) === true) return;
  throw new AuthenticationError(
    'ERR_OIDC_INSUFFICIENT_CLAIMS',
    'the claims of the user do not satisfy this route',
  );
}
