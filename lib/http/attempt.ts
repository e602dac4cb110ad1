import type { Request } from 'express';
import { isHeard, publish, type StepEvent } from '../events.ts';
import { transactionId } from '../oidc/transaction.ts';

const attempts = new WeakMap<Request, string>();

/**
 * Names the login that a request is a step of: the same name from the login route over both hops of the
 * callback to its end, in every process. It is in the name of the login's cookie as well, and good for nothing.
 *
 * @returns `undefined` where the request is no such step, or has not come so far
 */
export function attemptIdOf(req: Request): string | undefined {
  return attempts.get(req);
}

/**
 * Has the events that follow on this request known as of the login with this state, as the answer has it:
 * whether the browser has such a login is not looked at.
 *
 * @returns the attempt that the request was known as a step of before, if it was another
 */
export function noteAttempt(req: Request, state: string | undefined): string | undefined {
  // A hash at each hop is for who listens only.
  if (state === undefined || !attemptEvents.some(isHeard)) return undefined;
  const before = attempts.get(req);
  const attemptId = transactionId(state);
  attempts.set(req, attemptId);
  return before === attemptId ? undefined : before;
}

const attemptEvents = ['step', 'login', 'refusal', 'error'] as const;

/** Tells of a step of the login with this state. */
export function tellStep(req: Request, step: StepEvent['step'], state: string | undefined): void {
  const after = noteAttempt(req, state);
  const attemptId = attempts.get(req);
  if (attemptId !== undefined) publish('step', { step, attemptId, after, req });
}
