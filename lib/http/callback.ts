import type { Request, Response } from 'express';
import {
  AuthenticationError,
  LoginRefusedError,
  TransactionError,
  ValidationError,
} from '../errors.ts';
import { publish } from '../events.ts';
import {
  type AcceptedResponse,
  checkAuthorizationResponse,
  type ReceivedResponse,
  receiveAuthorizationResponse,
} from '../oidc/authorization-response.ts';
import { exchangeCode, type TokenSet } from '../oidc/code-exchange.ts';
import { checkEnforcedClaims } from '../oidc/enforced-claims.ts';
import type { UserinfoClaims } from '../oidc/id-token-claims.ts';
import { readResponseParameters } from '../oidc/response-parameters.ts';
import { refuseExpired, type Transaction } from '../oidc/transaction.ts';
import { pickUserinfo, requestUserinfo } from '../oidc/userinfo.ts';
import type { ResolvedOptions, ResponseTransport, Verify } from '../options.ts';
import type { StoredLogin } from '../tokens/token-store.ts';
import { noteAttempt, tellStep } from './attempt.ts';
import { fragmentField, readFormPost, readFragment, readQuery } from './callback-parameters.ts';
import { type Recovery, recoverLogin } from './failed-login.ts';
import type { FlowParts } from './flow-parts.ts';
import type { RenewSession } from './login-session.ts';
import { isNavigation, isSameOrigin, isSameSite } from './negotiation.ts';
import { sendRedirect, sendRefresh } from './pages.ts';
import { defaultReturnPath } from './return-to.ts';
import { hasStrictSession, leaveSessionAlone } from './session-request.ts';

/** How long the browser may take from the first hop to the second. */
const hopSeconds = 60;

/** Name of the query parameter that carries the sealed response to the second hop. */
const sealedParameter = 'oidc_response';

/** In the query of a callback that a page of our own has led to. */
const secondLookParameter = 'oidc_second_look';

/**
 * First hop: the OP's POST, or the POST of our own page that found the answer in its fragment. From
 * another site it has neither Lax nor Strict cookies, so it leaves the session alone; it verifies what
 * needs no transaction, drops the tokens, seals the rest and sends the browser on with it. An OP on
 * the application's own site (`login.example.com` for `app.example.com`) has the cookies sent at once:
 * then this hop is the last, where it may be.
 *
 * @param complete does what the second hop does; without it there is always a second hop
 */
export async function receivePost(
  parts: FlowParts,
  req: Request,
  res: Response,
  complete?: (received: ReceivedResponse) => Promise<void>,
): Promise<void> {
  const mayComplete = complete !== undefined && isSameSite(req);
  if (!mayComplete) leaveSessionAlone(req);
  const { mode, received } = await receivePosted(parts, req, res);
  if (mayComplete && mode === 'form_post' && hasTransaction(parts, req, received)) {
    return complete(received);
  }
  leaveSessionAlone(req);
  const secondHop = sealedPath(parts, received);
  // Chromium would hold all redirects that follow against the `form-action` of our own page.
  if (mode === 'fragment') sendRefresh(res, secondHop, 'Signing in', 'Continue');
  else sendRedirect(res, secondHop);
}

interface Posted {
  readonly mode: ResponseTransport;
  readonly received: ReceivedResponse;
}

async function receivePosted(parts: FlowParts, req: Request, res: Response): Promise<Posted> {
  try {
    return await receiveVerified(parts, req, res);
  } catch (error) {
    publish('refusal', { error, req });
    throw error;
  }
}

async function receiveVerified(parts: FlowParts, req: Request, res: Response): Promise<Posted> {
  const { options, provider } = parts;
  const posted = await readFormPost(req, res, options.callbackBodyLimitBytes);
  const fragment = readFragment(posted);
  if (fragment !== undefined) refuseForeignFragment(req, options);
  const mode = fragment === undefined ? 'form_post' : 'fragment';
  const response = readResponseParameters(fragment ?? posted);
  noteAttempt(req, response.state);
  const received = await receiveAuthorizationResponse(response, mode, provider, options);
  tellStep(req, 'received', received.state);
  return { mode, received };
}

function hasTransaction(
  { transactionCookies }: FlowParts,
  req: Request,
  { state = '' }: ReceivedResponse,
): boolean {
  return transactionCookies.find(req, state) !== undefined;
}

/** The second hop, with the response sealed into it. */
function sealedPath({ options, sealer }: FlowParts, received: ReceivedResponse): string {
  const expiresAt = Math.floor(options.now() / 1000) + hopSeconds;
  const sealed = sealer.seal(JSON.stringify([expiresAt, received]), sealPurpose(options));
  return `${options.basePath}${options.callbackPath}?${sealedParameter}=${sealed}`;
}

/** What another site posts is a form_post, whatever it is called. */
function refuseForeignFragment(req: Request, options: ResolvedOptions): void {
  if (isSameOrigin(req, options.origin)) return;
  throw new ValidationError(
    'ERR_OIDC_FRAGMENT_ORIGIN',
    'Multiple Response Types 2.1',
    `"${fragmentField}" was posted by a page of another origin; only the page of the callback posts it`,
  );
}

/** Signs the user in; `establish` does it with the given way to renew the session. */
export type SignIn = (
  user: unknown,
  establish: (renew: RenewSession, data?: Readonly<Record<string, unknown>>) => Promise<string>,
  returnTo: string,
) => Promise<string>;

/** How a callback ended. */
export type CallbackOutcome =
  | { readonly end: 'signed in'; readonly returnTo: string }
  | { readonly end: 'to look again'; readonly path: string }
  | Recovery
  | { readonly end: 'failed'; readonly error: unknown };

/**
 * Second hop, with the Lax cookies. Finds the transaction by the state, holds the response against it,
 * exchanges the code and signs the visitor in.
 *
 * @param posted what the first hop has received, where that is the last one
 */
export async function completeLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  signIn: { readonly verify: Verify | undefined; readonly signIn: SignIn },
  posted?: ReceivedResponse,
): Promise<CallbackOutcome> {
  let received: ReceivedResponse | undefined;
  let transaction: Transaction | undefined;
  try {
    received = posted ?? (await readSecondHop(parts, req));
    noteAttempt(req, received.state);
    transaction = findTransaction(parts, req, received);
    tellStep(req, 'matched', transaction.state);
    let before: StoredLogin | undefined;
    if (parts.sessionChecks.isInDoubt(req, transaction)) {
      const path = pathToLookAgain(parts, req, received);
      if (path !== undefined) return { end: 'to look again', path };
      before = await parts.loginSessions.current(req);
    }
    // Used once, whatever comes of it.
    parts.transactionCookies.remove(req, res, transaction.state);
    parts.sessionChecks.prepare(req, res, transaction, before?.place.sessionId);
    const login = { transaction, accepted: await accept(parts, received, transaction) };
    const sessionId = await parts.loginOutcomes.once(req, transaction, () =>
      finish(parts, req, res, login, signIn),
    );
    const isAdopted = await parts.loginSessions.adopt(req, sessionId);
    if (isAdopted) parts.sessionChecks.remember(req, res);
    return { end: 'signed in', returnTo: transaction.returnTo };
  } catch (error) {
    // The back button and a reload bring an old answer, long after it did its work.
    if (isOldAnswer(error)) {
      if (await isSignedIn(parts, req)) {
        const returnTo = parts.loginOutcomes.returnToOf(received?.state);
        return { end: 'signed in', returnTo: returnTo ?? defaultReturnPath(parts.options) };
      }
      const path = pathToLookAgain(parts, req, received);
      if (path !== undefined) return { end: 'to look again', path };
    }
    publish('refusal', { error, req });
    const recovery = await recoverLogin(parts, req, res, { error, received, transaction });
    if (recovery !== undefined) return recovery;
    // Not on the error: several requests may fail by the same one.
    res.locals['oidcReturnTo'] = transaction?.returnTo;
    return { end: 'failed', error };
  }
}

async function readSecondHop(parts: FlowParts, req: Request): Promise<ReceivedResponse> {
  const { options, provider, sealer } = parts;
  const query = readQuery(req);
  const sealed = query.find(([name]) => name === sealedParameter)?.[1];
  if (sealed === undefined) {
    // Straight from the OP: response_mode query, or an error of any mode.
    return receiveAuthorizationResponse(readResponseParameters(query), 'query', provider, options);
  }
  const text = sealer.open(sealed, sealPurpose(options));
  const [expiresAt, received] = JSON.parse(text ?? '[0]');
  if (options.now() / 1000 > expiresAt) {
    throw new ValidationError(
      'ERR_OIDC_RESPONSE_SEAL',
      'Form Post Response Mode 2',
      `the sealed authorization response is not of this flow, was changed, or is older than ${hopSeconds} seconds`,
    );
  }
  return received;
}

function sealPurpose(options: ResolvedOptions): string {
  return JSON.stringify(['authorization response', options.issuer, options.clientId]);
}

function findTransaction(parts: FlowParts, req: Request, received: ReceivedResponse): Transaction {
  const { state = '' } = received;
  const transaction = parts.transactionCookies.find(req, state);
  if (transaction === undefined) {
    const { name, reason } = parts.transactionCookies.explainMissing(req, state);
    throw new TransactionError(
      'ERR_OIDC_TRANSACTION_UNKNOWN',
      `this browser has no login with the state of this authorization response: the cookie ${name} is missing; ${reason}`,
      name,
    );
  }
  if (transaction.tenant !== parts.options.tenant) {
    throw new TransactionError(
      'ERR_OIDC_TENANT_MISMATCH',
      'this browser has begun that login at another tenant',
    );
  }
  // RFC 6749 10.12. The cookie's name is only a part of a hash of the state.
  if (transaction.state !== state) {
    throw new TransactionError(
      'ERR_OIDC_STATE_MISMATCH',
      'the state of the authorization response is not the one that was sent',
    );
  }
  return transaction;
}

/** What can be said of an answer without the code being sent. */
async function accept(
  { options, provider }: FlowParts,
  received: ReceivedResponse,
  transaction: Transaction,
): Promise<AcceptedResponse> {
  refuseExpired(transaction, options);
  return checkAuthorizationResponse(received, transaction, await provider.discovered(), options);
}

async function finish(
  parts: FlowParts,
  req: Request,
  res: Response,
  { accepted, transaction }: { accepted: AcceptedResponse; transaction: Transaction },
  { verify, signIn }: { readonly verify: Verify | undefined; readonly signIn: SignIn },
): Promise<string> {
  const { options, provider, loginSessions, sessionChecks } = parts;
  const tokens = await exchangeCode(accepted, transaction, provider, options);
  await checkEnforcedClaims(tokens.claims, transaction, options);
  const userinfo = await loadUserinfo(parts, tokens);
  const user = verify && (await verifiedUser(verify, tokens, userinfo, req));
  const findings = pickUserinfo(userinfo, options);
  const login = { ...tokens, ...findings };
  const establish: Parameters<SignIn>[1] = async (renew, data) => {
    const sessionId = await loginSessions.establish(req, login, transaction, renew, data);
    // Before Passport answers.
    sessionChecks.remember(req, res);
    return sessionId;
  };
  return signIn(user, establish, transaction.returnTo);
}

function refuse(reason: string): never {
  throw new LoginRefusedError(String(reason));
}

/** Its failure is the login's: `verify` may decide by what it says. */
async function loadUserinfo(
  { options, provider }: FlowParts,
  { accessToken, claims, dpop }: TokenSet,
): Promise<UserinfoClaims | undefined> {
  if (options.loadUserinfo === undefined) return undefined;
  return requestUserinfo(accessToken, claims, provider, options, dpop);
}

async function verifiedUser(
  verify: Verify,
  { claims, accessToken, scope, authorizationDetails = [] }: TokenSet,
  userinfo: UserinfoClaims | undefined,
  req: Request,
): Promise<unknown> {
  const login = {
    claims,
    accessToken,
    scope: scope.split(' '),
    userinfo,
    authorizationDetails,
    req,
    refuse,
  };
  const user = await verify(login);
  if (user) return user;
  throw new AuthenticationError(
    'ERR_OIDC_LOGIN_REFUSED',
    'the function "verify" returned no user for this login',
  );
}

function isOldAnswer(error: unknown): boolean {
  const code: unknown = (error as { code?: unknown }).code;
  return (
    code === 'ERR_OIDC_TRANSACTION_UNKNOWN' ||
    code === 'ERR_OIDC_RESPONSE_SEAL' ||
    code === 'ERR_OIDC_RESPONSE_EMPTY'
  );
}

/**
 * This callback once more, from a page of our own: who is signed in by a Strict session cookie is not
 * seen in a chain of redirects that began at the OP.
 */
function pathToLookAgain(
  parts: FlowParts,
  req: Request,
  received: ReceivedResponse | undefined,
): string | undefined {
  if (!isNavigation(req) || !hasStrictSession(req)) return undefined;
  const query = new URLSearchParams(readQuery(req));
  if (query.has(secondLookParameter)) return undefined;
  const { basePath, callbackPath } = parts.options;
  const path = received ? sealedPath(parts, received) : `${basePath}${callbackPath}?${query}`;
  return `${path}&${secondLookParameter}=yes`;
}

async function isSignedIn(parts: FlowParts, req: Request): Promise<boolean> {
  return (await parts.loginSessions.current(req).catch(() => undefined)) !== undefined;
}
