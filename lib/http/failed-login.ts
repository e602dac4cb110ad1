import type { Request, Response } from 'express';
import { HybridFlowError, TransactionError } from '../errors.ts';
import type { AuthorizationRequest } from '../oidc/authorization-request.ts';
import type { ReceivedResponse } from '../oidc/authorization-response.ts';
import type { Transaction } from '../oidc/transaction.ts';
import type { FlowParts } from './flow-parts.ts';
import { beginLogin } from './login.ts';
import { hasNote, readNote } from './login-note.ts';
import { isNavigation } from './negotiation.ts';
import { defaultReturnPath } from './return-to.ts';

/** A login that failed, as far as it got. */
export interface FailedLogin {
  readonly error: unknown;
  readonly received: ReceivedResponse | undefined;
  readonly transaction: Transaction | undefined;
}

/** What the library does by itself about a login that failed. */
export interface Recovery {
  readonly end: 'begun again';
  readonly request: AuthorizationRequest;
}

/**
 * Begins a login again whose cookie is missing: it took too long, gave way to other tabs, or began on
 * another host than that of the callback. Once: the new login's state says that it is a second one,
 * whether or not its cookie comes back. Nothing of the answer that failed is used.
 *
 * @returns `undefined` where the failure is to be shown
 */
export async function recoverLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
  failed: FailedLogin,
): Promise<Recovery | undefined> {
  const { error, received } = failed;
  if (!(error instanceof HybridFlowError) || !isNavigation(req)) return undefined;
  if (isSecondTry(parts, req, received)) return undefined;
  if (!isCookieMissing(failed)) return undefined;
  const returnTo = defaultReturnPath(parts.options);
  const request = await beginLogin(parts, req, res, returnTo, { note: 'again' });
  return { end: 'begun again', request };
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
  return hasNote(received?.state) || states.some((state) => readNote(parts, state) !== undefined);
}
