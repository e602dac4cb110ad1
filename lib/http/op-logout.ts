import type { Request, RequestHandler, Response } from 'express';
import {
  HybridFlowError,
  type LogoutRequestErrorCode,
  SessionStoreError,
  ValidationError,
} from '../errors.ts';
import { publish } from '../events.ts';
import { type LogoutToken, verifyLogoutToken } from '../oidc/logout-token.ts';
import type { EndSessions, IsMeant } from '../tokens/end-sessions.ts';
import type { SessionStore } from '../tokens/session-store.ts';
import { readFormPost, readQuery } from './callback-parameters.ts';
import type { FlowParts } from './flow-parts.ts';
import { leaveSessionAlone } from './session-request.ts';

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
  { options, provider, oneTimeNames, loginSessions }: FlowParts,
  endSessions: EndSessions,
  req: Request,
  res: Response,
): Promise<void> {
  const store = loginSessions.storeOf(req);
  leaveSessionAlone(req);
  const parameters = await readFormPost(req, res, options.callbackBodyLimitBytes);
  const tokens = parameters.filter(([name]) => name === 'logout_token');
  const [unverified] = tokens.map(([, value]) => value);
  if (tokens.length !== 1 || typeof unverified !== 'string') {
    throw refusal('ERR_OIDC_LOGOUT_TOKEN_MISSING', '2.5', 'it must have one logout_token');
  }
  const token = await verifyLogoutToken(unverified, await provider.discovered(), options);
  if (await oneTimeNames.isUsed(store, token.jti)) {
    throw refusal('ERR_OIDC_LOGOUT_TOKEN_REPLAYED', '2.6 (7)', 'its jti was here before');
  }
  await endAll(endSessions, store, token);
  // Only now: what has failed halfway is to be repeated by the OP.
  const secondsLeft = token.exp - options.now() / 1000 + 2 * options.clockToleranceSeconds;
  await oneTimeNames.use(store, token.jti, Math.ceil(secondsLeft));
}

/** 2.7: with a `sid` one session at the OP is meant, without it all of the subject. */
async function endAll(
  endSessions: EndSessions,
  store: SessionStore,
  { sub, sid, iat }: LogoutToken,
): Promise<void> {
  if (sid !== undefined) await endSessions.end(store, { sid }, 'op');
  if (sub === undefined) return;
  // A token may come late, and a later login of the subject is not meant. Beside a `sid` the subject
  // stands for logins of which nobody knows theirs.
  const isMeant: IsMeant = ({ loggedInAt, hasSid }) =>
    sid === undefined ? loggedInAt <= iat : !hasSid && loggedInAt <= iat;
  await endSessions.end(store, { sub }, 'op', isMeant);
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
    endBySid(parts, endSessions, req)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .then((error) => answerFrame(parts, req, res, error))
      .catch(next);
  };
}

async function answerFrame(
  parts: FlowParts,
  req: Request,
  res: Response,
  error: unknown,
): Promise<void> {
  if (error !== undefined && !(error instanceof HybridFlowError)) throw error;
  await allowFraming(parts, res);
  if (error !== undefined) publish('error', { error, req });
  const title = error === undefined ? 'Signed out' : 'Not signed out';
  res
    .status(error?.status ?? 200)
    .type('html')
    .send(`<!doctype html><title>${title}</title>`);
}

async function endBySid(
  { options, loginSessions }: FlowParts,
  endSessions: EndSessions,
  req: Request,
): Promise<void> {
  const store = loginSessions.storeOf(req);
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
  await endSessions.end(store, { sid }, 'op');
}

/** The OP's page holds this one in a frame, which policies for pages in general forbid. */
async function allowFraming({ options, provider }: FlowParts, res: Response): Promise<void> {
  const discovered = await provider.discovered().catch(() => undefined);
  const urls: unknown[] = [options.issuer, discovered?.metadata.end_session_endpoint];
  const origins = new Set(
    urls.filter((url) => URL.canParse(String(url))).map((url) => new URL(String(url)).origin),
  );
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
