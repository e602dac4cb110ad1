import { channel } from 'node:diagnostics_channel';
import type { Request } from 'express';
import type { HybridFlowError } from '../errors.ts';

/** What subscribers of the channel `passport-oidc-hybrid:error` get. */
export interface ErrorEvent {
  /** Holds no token, no secret and, but for its fields `error` and `error_description`, no text of the OP. */
  readonly error: HybridFlowError;
  readonly req: Request;
}

const errors = channel('passport-oidc-hybrid:error');

/** Tells whoever listens of a request that failed, before it is answered. */
export function publishError(event: ErrorEvent): void {
  if (errors.hasSubscribers) errors.publish(event);
}
