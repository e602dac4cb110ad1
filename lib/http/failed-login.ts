import type { Request, Response } from 'express';
import { AuthorizationResponseError, HybridFlowError, TransactionError } from '../errors.ts';
import type { AuthorizationRequest } from '../oidc/authorization-request.ts';
import type { ReceivedResponse } from '../oidc/authorization-response.ts';
import { withPrompt } from '../oidc/login-request.ts';
import type { Transaction } from '../oidc/transaction.ts';
import type { FlowParts } from './flow-parts.ts';
import { beginLogin, type LoginWishes } from './login.ts';
import { hasNote, readNote } from './login-note.ts';
import { isNavigation } from './negotiation.ts';
import { defaultReturnPath } from './return-to.ts';
import { pathWithoutSilentLogin } from './silent-login.ts';

/** A login that failed, as far as it got. */
export interface FailedLogin {
  readonly error: unknown;
  readonly received: ReceivedResponse | undefined;
  readonly transaction: Transaction | undefined;
}

/** What the library does by itself about a login that failed. */
export type Recovery =
  | { readonly end: 'begun again'; readonly request: AuthorizationRequest }
  | { readonly end: 'left as before'; readonly returnTo: string };

/**
 * What the OP answers where it may not ask the user and would have to, with the `prompt` that lets it.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthError Core 3.1.2.6}
 */
const promptAfter: ReadonlyMap<string, string> = new Map([
  ['login_required', 'login'],
  ['interaction_required', 'login'],
  ['consent_required', 'consent'],
  ['account_selection_required', 'select_account'],
]);

/**
 * A silent login that failed, for whatever reason, leaves the visitor as before. Others begin again,
 * once: where the OP had to ask something and was not to, and where the cookie is missing: the login
 * took too long, gave way to other tabs, or began on another host than that of the callback. The new
 * login's state says that it is a second one, whether or not its cookie comes back. Nothing of the
 * answer that failed is used.
 *
 * @returns `undefined` where the failure is to be shown
 */
export async function recoverLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  failed: FailedLogin,
): Promise<Recovery | undefined> {
  const { error, received, transaction } = failed;
  if (!(error instanceof HybridFlowError) || !isNavigation(req)) return undefined;
  const note = readNote(parts, received?.state);
  if (note?.kind === 'silent') {
    const returnTo = transaction?.returnTo ?? pathWithoutSilentLogin(note.returnTo, parts.options);
    return { end: 'left as before', returnTo };
  }
  if (isSecondTry(parts, req, received)) return undefined;
  const wishes = isCookieMissing(failed) ? {} : wishesAfter(failed);
  if (wishes === undefined) return undefined;
  const returnTo = transaction?.returnTo ?? defaultReturnPath(parts.options);
  const request = await beginLogin(parts, req, res, returnTo, { ...wishes, note: 'again' });
  return { end: 'begun again', request };
}

/** The same login, in which the OP may ask what it has to. */
function wishesAfter({ error, transaction }: FailedLogin): LoginWishes | undefined {
  if (transaction === undefined || !(error instanceof AuthorizationResponseError)) return undefined;
  const prompt = promptAfter.get(error.error);
  if (prompt === undefined) return undefined;
  const { acrValues, maxAge, organization, sessionId } = transaction;
  return { login: { ...withPrompt(prompt), acrValues, maxAge, organization }, sessionId };
}

/** An error of the OP is the end of its login, and no reason for another. */
function isCookieMissing({ error, received, transaction }: FailedLogin): boolean {
  return (
    transaction === undefined &&
    error instanceof TransactionError &&
    error.code === 'ERR_OIDC_TRANSACTION_UNKNOWN' &&
    received?.code !== undefined
  );
}

/**
 * By the state, which comes back without any cookie; and by the cookies, which come back even if an
 * OP does not return the state as it was sent. A note that cannot be read counts, or two processes
 * with different secrets would begin the same login for each other for ever.
 */
function isSecondTry(
  parts: FlowParts,
  req: Request,
  received: ReceivedResponse | undefined,
): boolean {
  const states = parts.transactionCookies.underWay(req).map(({ state }) => state);
  return (
    hasNote(received?.state) || states.some((state) => readNote(parts, state)?.kind === 'again')
  );
}
