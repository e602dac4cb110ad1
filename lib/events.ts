import { channel, subscribe as subscribeTo, unsubscribe } from 'node:diagnostics_channel';
import type { Request } from 'express';
import type { HybridFlowError } from './errors.ts';
import type { TokenTarget } from './oidc/token-target.ts';

/** A login as events name it: enough to follow it through a log, nothing to use. */
export interface EventLogin {
  /** The option `sessionKey` of the flow. */
  readonly flow: string;
  /** Made anew at each login. */
  readonly loginId: string;
  /** Claim `sub` of the user. */
  readonly sub: string;
}

/** A login under way has come a step further. */
export interface StepEvent {
  /**
   * `begun`: the browser is sent to the OP. `received`: the OP's answer has come by a POST, and has passed the checks
   * that need no cookie. `matched`: it belongs to a login that this browser has begun.
   */
  readonly step: 'begun' | 'received' | 'matched';
  /** The same for all steps of one login; see {@link attemptIdOf}. */
  readonly attemptId: string;
  /** The attempt that this one follows, which had to begin again. */
  readonly after: string | undefined;
  readonly req: Request;
}

/** Somebody has signed in. */
export interface LoginEvent {
  readonly login: EventLogin;
  readonly req: Request;
}

/** A login that did not succeed: the OP said no, a check failed, or `verify` refused it. */
export interface RefusalEvent {
  /** A {@link HybridFlowError}, or what the application's own functions threw. */
  readonly error: unknown;
  readonly req: Request;
}

/** A refresh token was sent to the OP. */
export interface RefreshEvent {
  readonly login: EventLogin;
  /** The API that the access token is for; without members it is that of the login. */
  readonly target: TokenTarget;
  /** `unavailable`: the OP failed, and the login goes on. `ended`: the grant is dead. */
  readonly outcome: 'renewed' | 'unavailable' | 'ended';
  /** Why, unless it was renewed. */
  readonly error: HybridFlowError | undefined;
  readonly durationSeconds: number;
}

/**
 * Two refreshes of one login have run at once, each with the same refresh token: the lock is not
 * shared by all processes, or has lapsed. An OP that detects reuse ends such a login.
 */
export interface ReuseEvent {
  readonly login: EventLogin;
}

/** A login has ended. */
export interface LogoutEvent {
  readonly login: EventLogin;
  /** By the logout route, by the application that destroyed the session, or because the grant is dead. */
  readonly by: 'user' | 'application' | 'op';
}

/** A request that failed, before it is answered. */
export interface ErrorEvent {
  /** Holds no token, no secret and, but for its fields `error` and `error_description`, no text of the OP. */
  readonly error: HybridFlowError;
  readonly req: Request;
}

/** What happens, by name; each is the `node:diagnostics_channel` `passport-oidc-hybrid:<name>`. */
export interface HybridFlowEvents {
  step: StepEvent;
  login: LoginEvent;
  refusal: RefusalEvent;
  refresh: RefreshEvent;
  reuse: ReuseEvent;
  logout: LogoutEvent;
  error: ErrorEvent;
}

const channels = {
  step: channel('passport-oidc-hybrid:step'),
  login: channel('passport-oidc-hybrid:login'),
  refusal: channel('passport-oidc-hybrid:refusal'),
  refresh: channel('passport-oidc-hybrid:refresh'),
  reuse: channel('passport-oidc-hybrid:reuse'),
  logout: channel('passport-oidc-hybrid:logout'),
  error: channel('passport-oidc-hybrid:error'),
} satisfies Record<keyof HybridFlowEvents, unknown>;

/**
 * Listens to all flows of this process. Events hold no token, code or secret; `req` is the live
 * request, whose headers may.
 *
 * @returns a function that ends the subscription
 */
export function subscribe<Name extends keyof HybridFlowEvents>(
  name: Name,
  listener: (event: HybridFlowEvents[Name]) => void,
): () => void {
  const onMessage = (message: unknown): void => listener(message as HybridFlowEvents[Name]);
  subscribeTo(channels[name].name, onMessage);
  return () => {
    unsubscribe(channels[name].name, onMessage);
  };
}

/** Whether anybody listens; what is made for an event only need not be made otherwise. */
export function isHeard(name: keyof HybridFlowEvents): boolean {
  return channels[name].hasSubscribers;
}

/** Tells whoever listens. */
export function publish<Name extends keyof HybridFlowEvents>(
  name: Name,
  event: HybridFlowEvents[Name],
): void {
  if (channels[name].hasSubscribers) channels[name].publish(event);
}
