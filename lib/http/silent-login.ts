import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import { HybridFlowError, OptionsError } from '../errors.ts';
import { publish } from '../events.ts';
import type { AuthorizationRequest } from '../oidc/authorization-request.ts';
import { withPrompt } from '../oidc/login-request.ts';
import type { ResolvedOptions } from '../options.ts';
import { readQuery } from './callback-parameters.ts';
import { flowCookies } from './flow-cookies.ts';
import type { FlowParts } from './flow-parts.ts';
import { beginLogin } from './login.ts';
import { isNavigation } from './negotiation.ts';
import { defaultReturnPath, requestedPath } from './return-to.ts';

/** Seconds for which the OP is left alone after one try, or after a logout. */
const pauseSeconds = 3600;

/** In the query of a page: the browser has just come back from a silent login without its cookies. */
const silentParameter = 'oidc_silent';

/** Remembers in the browser that it need not be asked again for a while. */
export interface SilentLogins {
  /** Some page of this flow makes silent logins. */
  enable(): void;
  /** Whether this request may go to the OP and back first. */
  isDue(req: Request): boolean;
  /** Makes no silent login due for a while. Sets no cookie in a flow that makes none. */
  pause(res: Response): void;
}

export function createSilentLogins(options: ResolvedOptions): SilentLogins {
  const { prefix, attributes } = flowCookies(options);
  const name = `${prefix}silent`;
  let isEnabled = false;
  return {
    enable() {
      isEnabled = true;
    },
    // Only browsers that say by Fetch Metadata that a person looks: no crawler is sent away.
    isDue: (req) =>
      req.method === 'GET' &&
      req.headers['sec-fetch-mode'] !== undefined &&
      isNavigation(req) &&
      parse(req.headers.cookie ?? '')[name] === undefined &&
      !readQuery(req).some(([parameter]) => parameter === silentParameter),
    pause(res) {
      if (!isEnabled) return;
      res.append('Set-Cookie', serialize(name, '1', { ...attributes, maxAge: pauseSeconds }));
    },
  };
}

/**
 * Begins a login that asks the visitor nothing: `prompt=none`.
 *
 * @returns `undefined` where the OP cannot be asked, which is no failure of the page
 * @throws {@link OptionsError} for a set-up in which no login would work
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest Core 3.1.2.1}
 */
export async function beginSilentLogin(
  parts: FlowParts,
  req: Request,
  res: Response,
): Promise<AuthorizationRequest | undefined> {
  // First: an OP that is down, or a visitor who goes back, must not be asked at every page.
  parts.silentLogins.pause(res);
  const returnTo = requestedPath(req, parts.options) ?? defaultReturnPath(parts.options);
  try {
    return await beginLogin(parts, req, res, returnTo, {
      login: withPrompt('none'),
      note: 'silent',
    });
  } catch (error) {
    if (!(error instanceof HybridFlowError) || error instanceof OptionsError) throw error;
    publish('refusal', { error, req });
    return undefined;
  }
}

/**
 * Where a silent login that got no cookies back leads. Such a browser cannot be told by a cookie that
 * it was asked already, so the page is told by its URL.
 */
export function pathWithoutSilentLogin(returnTo: string, { origin }: ResolvedOptions): string {
  const url = new URL(returnTo, origin);
  url.searchParams.set(silentParameter, 'no');
  return `${url.pathname}${url.search}${url.hash}`;
}
