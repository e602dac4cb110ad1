import type { Request, RequestHandler, Response } from 'express';
import {
  HybridFlowError,
  type LogoutRequestErrorCode,
  SessionStoreError,
  ValidationError,
} from '../errors.ts';
import { publish } from '../events.ts';
import { verifyLogoutToken } from '../oidc/logout-token.ts';
import type { EndSessions } from '../tokens/end-sessions.ts';
import { readFormPost, readQuery } from './callback-parameters.ts';
import type { FlowParts } from './flow-parts.ts';
import { leaveSessionAlone, sessionStoreOf } from './session-request.ts';

/**
 * Where the OP says that a session has ended: a request of its own, without a browser.
 *
 * @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest Back-Channel Logout 2.5}
 */
export function backchannelLogoutRoute(parts: FlowParts, endSessions: EndSessions): RequestHandler {
  return function hybridBackchannelLogout(req, res, next) {
    endByToken(parts, endSessions, req, res).then(
      () => res.status(200).set('Cache-Control', 'no-store').end(),
      (error: unknown) => {
        if (error instanceof HybridFlowError) sendRefusal(error, req, res);
        else next(error);
      },
    );
  };
}

async function endByToken(
  { options, provider }: FlowParts,
  endSessions: EndSessions,
  req: Request,
  res: Response,
): Promise<void> {
  const store = sessionStoreOf(req);
  leaveSessionAlone(req);
  const parameters = await readFormPost(req, res, options.callbackBodyLimitBytes);
  const tokens = parameters.filter(([name]) => name === 'logout_token');
  const [unverified] = tokens.map(([, value]) => value);
  if (tokens.length !== 1 || typeof unverified !== 'string') {
    throw refusal('ERR_OIDC_LOGOUT_TOKEN_MISSING', '2.5', 'it must have one logout_token');
  }
  const token = await verifyLogoutToken(unverified, await provider.discovered(), options);
  const secondsLeft = token.exp - options.now() / 1000 + 2 * options.clockToleranceSeconds;
  if (!(await endSessions.claim(store, token.jti, Math.ceil(secondsLeft)))) {
    throw refusal('ERR_OIDC_LOGOUT_TOKEN_REPLAYED', '2.6 (7)', 'its jti was here before');
  }
  // 2.7: with a sid that one session of the subject is meant, and without it all of them.
  const whose = token.sid === undefined ? { sub: String(token.sub) } : { sid: token.sid };
  await endSessions.end(store, whose, token.iat);
}

/** 2.8: 400 and an error as JSON; where it is our store or the OP's keys, the OP may try again. */
function sendRefusal(error: HybridFlowError, req: Request, res: Response): void {
  publish('error', { error, req });
  const isOurs = error instanceof SessionStoreError;
  res
    .status(error.status)
    .set('Cache-Control', 'no-store')
    .json({
      error: isOurs ? 'temporarily_unavailable' : 'invalid_request',
      error_description: error.message.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'"),
    });
}

/**
 * Where the OP has the browser say, in a frame of its own page, that a session has ended. Browsers
 * withhold the session cookie there, so the session is found by `sid`.
 *
 * @see {@link https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout Front-Channel Logout 2}
 */
export function frontchannelLogoutRoute(
  parts: FlowParts,
  endSessions: EndSessions,
): RequestHandler {
  return function hybridFrontchannelLogout(req, res, next) {
    allowFraming(parts, res)
      .then(() => endBySid(parts, endSessions, req))
      .then(
        () => res.type('html').send('<!doctype html><title>Signed out</title>'),
        (error: unknown) => {
          if (!(error instanceof HybridFlowError)) {
            next(error);
            return;
          }
          publish('error', { error, req });
          res
            .status(error.status)
            .type('html')
            .send('<!doctype html><title>Not signed out</title>');
        },
      );
  };
}

async function endBySid(
  { options }: FlowParts,
  endSessions: EndSessions,
  req: Request,
): Promise<void> {
  const store = sessionStoreOf(req);
  leaveSessionAlone(req);
  const query = readQuery(req);
  const values = (name: string): unknown[] =>
    query.filter(([other]) => other === name).map(([, value]) => value);
  const [iss, ...moreIssuers] = values('iss');
  const [sid, ...moreSids] = values('sid');
  // 2: both or neither may come. Neither would let any page sign any visitor out.
  if (iss !== options.issuer || moreIssuers.length > 0) {
    throw refusal('ERR_OIDC_FRONTCHANNEL_ISS', 'Front-Channel Logout 2', 'iss must be the issuer');
  }
  if (typeof sid !== 'string' || sid === '' || moreSids.length > 0) {
    throw refusal('ERR_OIDC_FRONTCHANNEL_SID', 'Front-Channel Logout 2', 'sid must be there, once');
  }
  await endSessions.end(store, { sid });
}

/** The OP's page holds this one in a frame, which policies for pages in general forbid. */
async function allowFraming({ options, provider }: FlowParts, res: Response): Promise<void> {
  const discovered = await provider.discovered().catch(() => undefined);
  const urls = [options.issuer, discovered?.metadata.end_session_endpoint ?? options.issuer];
  const origins = new Set(urls.map((url) => new URL(url).origin));
  res.removeHeader('X-Frame-Options');
  res.set({
    'Content-Security-Policy': `default-src 'none'; frame-ancestors ${[...origins].join(' ')}`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
}

function refusal(code: LogoutRequestErrorCode, section: string, wanted: string): ValidationError {
  const clause = /^\d/.test(section) ? `Back-Channel Logout ${section}` : section;
  return new ValidationError(code, clause, `the logout request is refused: ${wanted}`);
}
