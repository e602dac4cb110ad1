import type { Request, RequestHandler, Response } from 'express';
import { AuthenticationError } from '../errors.ts';
import {
  type AuthorizationRequest,
  buildAuthorizationRequest,
  chooseResponseMode,
} from '../oidc/authorization-request.ts';
import type { AuthenticationDemands } from '../oidc/step-up.ts';
import { createTransaction } from '../oidc/transaction.ts';
import { sendToOp } from './authorization-page.ts';
import { readQuery } from './callback-parameters.ts';
import { answerError } from './error-answer.ts';
import type { FlowParts } from './flow-parts.ts';
import { type LoginNote, sealNote } from './login-note.ts';
import { isNavigation } from './negotiation.ts';
import { wantedReturnPath } from './return-to.ts';
import { refuseLostSessionCookie, type SessionRequest } from './session-request.ts';

/** What sets a login apart from an ordinary one. */
export interface LoginWishes {
  readonly demands?: AuthenticationDemands | undefined;
  readonly note?: LoginNote['kind'] | undefined;
  /** Wire name: `prompt`. */
  readonly prompt?: string | undefined;
}

/**
 * Begins a login: sets its transaction cookie and returns the request to send the browser away with.
 *
 * @throws {@link ProviderError} when the OP cannot be discovered
 */
export async function beginLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  returnTo: string,
  { demands, note, prompt }: LoginWishes = {},
): Promise<AuthorizationRequest> {
  const { options, provider, loginSessions, transactionCookies } = parts;
  res.locals['oidcReturnTo'] = returnTo;
  const sessionId = loginSessions.visitorId(req);
  refuseLostSessionCookie(req as SessionRequest, options);
  const discovered = await provider.discovered();
  const responseMode = chooseResponseMode(discovered, options);
  const transaction = createTransaction(
    options,
    { responseMode, returnTo, sessionId },
    demands,
    note && sealNote(parts, { kind: note, returnTo }),
  );
  transactionCookies.store(req, res, transaction);
  const { authorizationParams } = options;
  return buildAuthorizationRequest(
    discovered,
    prompt === undefined
      ? options
      : { ...options, authorizationParams: { ...authorizationParams, prompt } },
    transaction,
  );
}

/** The login route: `GET /login?return_to=/path`, also with a `step_up` that problem details gave. */
export function loginRoute(parts: FlowParts): RequestHandler {
  const { options } = parts;
  return function hybridLogin(req, res, next) {
    const begin = async (): Promise<void> => {
      refuseOutsideNavigation(req);
      const returnTo = wantedReturnPath(req, options);
      const request = await beginLogin(parts, req, res, returnTo, {
        demands: wantedDemands(parts, req),
      });
      sendToOp(req, res, request, options);
    };
    begin().catch((error: unknown) => answerError(error, req, res, next, options));
  };
}

/** Name of the query parameter that carries sealed {@link AuthenticationDemands} to the login route. */
const stepUpParameter = 'step_up';

/** Path of the login route that asks for what an API demands. Sealed, so that nobody asks for less. */
export function stepUpPath(
  { options, sealer }: Pick<FlowParts, 'options' | 'sealer'>,
  demands: AuthenticationDemands,
): string {
  const { acrValues, maxAge } = demands;
  const sealed = sealer.seal(JSON.stringify({ acrValues, maxAge }), stepUpPurpose(options));
  return `${options.basePath}${options.loginPath}?${stepUpParameter}=${sealed}`;
}

function wantedDemands(
  { options, sealer }: FlowParts,
  req: Request,
): AuthenticationDemands | undefined {
  const sealed = readQuery(req).find(([name]) => name === stepUpParameter)?.[1];
  if (typeof sealed !== 'string') return undefined;
  const text = sealer.open(sealed, stepUpPurpose(options));
  return text === undefined ? undefined : JSON.parse(text);
}

function stepUpPurpose({ issuer, clientId }: FlowParts['options']): string {
  return JSON.stringify(['step-up', issuer, clientId]);
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
