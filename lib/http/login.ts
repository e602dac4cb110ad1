import type { Request, RequestHandler, Response } from 'express';
import { AuthenticationError } from '../errors.ts';
import {
  type AuthorizationRequest,
  buildAuthorizationRequest,
  chooseResponseMode,
} from '../oidc/authorization-request.ts';
import {
  type LoginRequest,
  loginRequestOf,
  narrowLogin,
  readLoginQuery,
  resolveLoginOptions,
} from '../oidc/login-request.ts';
import { createTransaction } from '../oidc/transaction.ts';
import type { LoginOptions } from '../options.ts';
import { comeAgain, hasComeAgain } from './arrival.ts';
import { tellStep } from './attempt.ts';
import { sendToOp } from './authorization-page.ts';
import { type RawParameters, readQuery } from './callback-parameters.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { type LoginNote, sealNote } from './login-note.ts';
import { isNavigation } from './negotiation.ts';
import { wantedReturnPath } from './return-to.ts';
import { refuseLostSessionCookie, type SessionRequest } from './session-request.ts';

/** What sets a login apart from an ordinary one. */
export interface LoginWishes {
  /** Beyond what the options say. */
  readonly login?: LoginRequest | undefined;
  readonly note?: LoginNote['kind'] | undefined;
  /** The visitor's session, where its cookie is `Strict` and another site has caused the request. */
  readonly sessionId?: string | undefined;
}

/**
 * Begins a login: sets its transaction cookie and returns the request to send the browser away with.
 *
 * @throws {@link ProviderError} when the OP cannot be discovered
 * @throws {@link OptionsError} when `authorizationParams` gives what it may not set
 */
export async function beginLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  returnTo: string,
  { login, note, sessionId: leftBehindId }: LoginWishes = {},
): Promise<AuthorizationRequest> {
  const { options, provider, loginSessions, sessionChecks, transactionCookies } = parts;
  res.locals['oidcReturnTo'] = returnTo;
  const sessionId = loginSessions.visitorId(req) ?? leftBehindId;
  refuseLostSessionCookie(req as SessionRequest, options);
  const discovered = await provider.discovered();
  const responseMode = chooseResponseMode(discovered, options);
  const asked = narrowLogin(loginRequestOf(options), login);
  const details = await options.authorizationDetails(req);
  const detailTypes = [...new Set(details.map(({ type }) => type))];
  const transaction = createTransaction(
    options,
    { responseMode, returnTo, sessionId, detailTypes },
    asked,
    note && sealNote(parts, { kind: note, returnTo }),
  );
  const request = await buildAuthorizationRequest(discovered, options, transaction, {
    parameters: {
      ...(await options.authorizationParams(req)),
      ...asked.parameters,
      ...(details.length > 0 ? { authorization_details: JSON.stringify(details) } : {}),
    },
    claims: (await options.requestObject?.claims(req)) ?? {},
  });
  transactionCookies.store(req, res, transaction);
  // The session of this flow did not get lost: the other login has ended it. Unless both are wanted by one
  // page, which would go on for ever.
  if (req.oidc === undefined && loginSessions.isAnothers(req)) sessionChecks.forget(req, res);
  // Else it has been looked for the session already, and the note is for the callback.
  else if (!hasComeAgain(req, options)) sessionChecks.expectNoMore(req, res);
  tellStep(req, 'begun', transaction.state);
  return request;
}

/**
 * A login route: `GET /login?return_to=/path`, with the parameters that `loginParams` allows, or with
 * what problem details gave.
 */
export function loginRoute(
  parts: FlowParts,
  login?: (req: Request) => LoginRequest | undefined,
): RequestHandler {
  const { options } = parts;
  return function hybridLogin(req, res, next) {
    const begin = async (): Promise<void> => {
      refuseOutsideNavigation(req);
      if (comeAgain(parts, req, res)) return;
      const returnTo = wantedReturnPath(req, options);
      const wanted = wantedLogin(parts, req, login?.(req));
      sendToOp(req, res, await beginLogin(parts, req, res, returnTo, { login: wanted }), options);
    };
    begin().catch((error: unknown) => answerError(error, req, res, next, options));
  };
}

/** What one login asks for, as an application says it: for every request, or by a function of it. */
export function loginReader(
  login: LoginOptions | ((req: Request) => LoginOptions | undefined) | undefined,
): ((req: Request) => LoginRequest | undefined) | undefined {
  if (login === undefined) return undefined;
  if (typeof login === 'function') {
    return (req) => {
      const given = login(req);
      return given && resolveLoginOptions(given);
    };
  }
  const resolved = resolveLoginOptions(login);
  return () => resolved;
}

/**
 * What the application, the query and problem details ask for together.
 *
 * @throws {@link ValidationError} `ERR_OIDC_LOGIN_PARAMETER`
 */
export function wantedLogin(
  parts: FlowParts,
  req: Request,
  login?: LoginRequest | undefined,
): LoginRequest {
  const { options } = parts;
  const query = readQuery(req);
  const nothing = { maxAge: undefined, acrValues: [], organization: undefined, parameters: {} };
  const sealed = narrowLogin(login ?? nothing, openLogin(parts, query));
  const before = narrowLogin(loginRequestOf(options), sealed);
  return narrowLogin(sealed, readLoginQuery(query, options.loginParams, before, options.claims));
}

/** Name of the query parameter that carries a sealed {@link LoginRequest} to the login route. */
const sealedParameter = 'oidc_login';

/** Path of the login route for a certain login. Sealed, so that nobody asks for less. */
export function loginPathFor(
  { options, sealer }: Pick<FlowParts, 'options' | 'sealer'>,
  login: LoginRequest,
): string {
  const sealed = sealer.seal(JSON.stringify(login), loginPurpose(options));
  return `${options.basePath}${options.loginPath}?${sealedParameter}=${sealed}`;
}

function openLogin({ options, sealer }: FlowParts, query: RawParameters): LoginRequest | undefined {
  const sealed = query.find(([name]) => name === sealedParameter)?.[1];
  if (typeof sealed !== 'string') return undefined;
  const text = sealer.open(sealed, loginPurpose(options));
  return text === undefined ? undefined : JSON.parse(text);
}

function loginPurpose({ issuer, clientId }: FlowParts['options']): string {
  return JSON.stringify(['login', issuer, clientId]);
}

/**
 * Nobody could complete a login that fetch, an image or a prefetch began, and each would leave a
 * cookie.
 *
 * @throws {@link AuthenticationError} `ERR_OIDC_NOT_A_NAVIGATION`
 */
export function refuseOutsideNavigation(req: Request): void {
  if (!isNavigation(req) || req.method !== 'GET') throw notANavigation();
}

export function notANavigation(): AuthenticationError {
  return new AuthenticationError(
    'ERR_OIDC_NOT_A_NAVIGATION',
    'a login or logout is a navigation of the browser: not a fetch, an image, a frame or a prefetch',
  );
}
