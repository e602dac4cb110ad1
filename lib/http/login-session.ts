import type { Request } from 'express';
import { BoundedMap } from '../bounded-map.ts';
import { SessionStoreError, TransactionError } from '../errors.ts';
import { publish } from '../events.ts';
import type { TokenSet } from '../oidc/code-exchange.ts';
import type { Transaction } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import {
  followSessions,
  type RecordFollower,
  saveNewSession,
  sessionKeysOf,
} from '../tokens/record-lifetime.ts';
import { endedMeanwhile } from '../tokens/record-writer.ts';
import type { SessionIndex } from '../tokens/session-index.ts';
import { destroyEntry, readEntry, type SessionStore, settle } from '../tokens/session-store.ts';
import type { TenantSessions } from '../tokens/tenant-sessions.ts';
import {
  createTokenRecord,
  eventLogin,
  hasOutlived,
  indexedLoginMark,
  isMarkOf,
  isUnbound,
  type LoginMark,
  loginMark,
  type TokenRecord,
  userDigest,
} from '../tokens/token-record.ts';
import type { RecordPlace, StoredLogin, TokenStore } from '../tokens/token-store.ts';
import {
  hasSession,
  type SessionRequest,
  sessionRequest,
  sessionStoreOf,
} from './session-request.ts';
import { warnOfInsecureCookie, warnOfMissingLock } from './set-up-warnings.ts';

/** Puts a new session in the place of the visitor's: express-session's way, or Passport's. */
export type RenewSession = (req: SessionRequest) => Promise<void>;

/** Logins in the application's sessions. */
export interface LoginSessions {
  /** The login of this request, if it has one. */
  current(req: Request): Promise<StoredLogin | undefined>;
  /**
   * Whether this request's session is that of a login which is not of this flow: of another flow, another
   * tenant, another strategy of Passport. It has taken the place of any other.
   */
  isAnothers(req: Request): boolean;
  /** Id of the session that the browser brought along; `undefined` where it brought none. */
  visitorId(req: Request): string | undefined;
  /**
   * Signs in: a new session id, the visitor's own data carried over, the record beside it.
   *
   * @param data what else goes into the new session
   * @returns the id of the new session
   */
  establish(
    req: Request,
    tokens: TokenSet,
    transaction: Transaction,
    renew: RenewSession,
    data?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /**
   * Takes over a session that another request of the same login has established.
   *
   * @returns whether it was another request
   */
  adopt(req: Request, sessionId: string): Promise<boolean>;
  /** Ends the login and the session. */
  end(req: Request): Promise<void>;
  /** The store behind a request, also where the request brought no session. */
  storeOf(req: Request): SessionStore;
  /** The stores that requests have come with. */
  stores(): readonly SessionStore[];
}

/**
 * Gives the request a new session by express-session alone. One that the browser did not bring was
 * made for this request: there is nothing in the store to be destroyed.
 */
export const regenerateSession: RenewSession = async (req) => {
  if (visitorId(req) === undefined) req.sessionStore.generate(req);
  else await settle((done) => req.session.regenerate(done));
};

/** Beyond so many, two tabs that sign in within the same moment may lose what the visitor had. */
const maxSuccessors = 10_000;

/** Keys of a session that are no data of the visitor. */
const neverCarried = ['cookie', 'passport', 'returnTo'];

export function createLoginSessions(
  options: ResolvedOptions,
  tokenStore: TokenStore,
  endRecord: (place: RecordPlace) => Promise<unknown>,
  index: SessionIndex | undefined,
  tenantSessions?: TenantSessions,
): LoginSessions {
  const { sessionKey, tenant } = options;

  /** Stores whose sessions are followed. */
  const followed = new Set<SessionStore>();
  let hasSeenSession = false;
  /** Ids of visitors' sessions, and of those that have taken their place here. */
  const successors = new BoundedMap<string, Promise<string | undefined>>(maxSuccessors);

  const checked = (req: Request): SessionRequest => {
    if (hasSeenSession && !hasSession(req)) {
      throw disconnected();
    }
    const request = sessionRequest(req, options);
    hasSeenSession = true;
    if (!followed.has(request.sessionStore)) follow(request);
    return request;
  };

  /** What is done once for a store: at the first request, as nothing tells of it before. */
  const follow = ({ session, sessionStore: store, secure }: SessionRequest): void => {
    followed.add(store);
    warnOfMissingLock(store, options);
    if (session) warnOfInsecureCookie(session.cookie.secure === true, { secure }, options);
    const follower: RecordFollower = {
      sessionKey,
      now: options.now,
      idleLifetimeSeconds: options.idleLifetimeSeconds,
      // Also lists what is not: a login from before there was an index, or whose entry was lost.
      onProlonged: async (sessionId, { cookie }) => {
        const place = { store, sessionId };
        const record = index && (await tokenStore.read(place));
        if (record === undefined) return;
        const mark = indexedLoginMark(record, sessionId);
        await index?.add(place, mark, record.loggedInAt, cookie);
      },
      async endRecord(sessionId) {
        const place = { store, sessionId };
        const session = index && (await readEntry(store, sessionId).catch(() => undefined));
        await endRecord(place);
        const mark = session && markOf(session);
        // A session that stays listed has ended all the same.
        return mark && (() => index.remove(place, mark).catch(() => undefined));
      },
      hasEnded: async (sessionId, unverifiedMark) => {
        const mark = unverifiedMark as LoginMark;
        if (!isMarkOf(mark, sessionId)) return false;
        const record = await tokenStore.read({ store, sessionId });
        if (record !== undefined) return record.loginId !== mark.id;
        // One that does not open is another process's, which has the next secret already.
        return !(await tokenStore.exists({ store, sessionId }));
      },
    };
    if (tenant === undefined) followSessions(store, follower);
    else tenantSessions?.follow(store, tenant, follower);
  };

  const markOf = (session: Record<string, unknown> | undefined): LoginMark | undefined =>
    session?.[sessionKey] as LoginMark | undefined;

  /** The session that the visitor had, also where its cookie is `Strict` and did not come along. */
  const visitorSession = async (
    req: SessionRequest,
    transaction: Transaction,
  ): Promise<Record<string, unknown>> => {
    const { sessionId } = transaction;
    if (visitorId(req) !== undefined || sessionId === undefined) return { ...req.session };
    // Read before anything is waited for: this login is about to become a successor itself.
    const successor = successors.get(sessionId);
    const entry = await readEntry(req.sessionStore, sessionId);
    if (entry !== undefined || successor === undefined) return { ...entry };
    // A login in another tab has moved the session, and this request was on its way already.
    const successorId = await successor;
    return { ...(successorId && (await readEntry(req.sessionStore, successorId))) };
  };

  const isAnothers = (
    session: Record<string, unknown> | undefined,
    otherKeys: readonly string[],
  ): boolean => {
    const mark = markOf(session);
    if (mark !== undefined) return mark.tenant !== tenant;
    return ['passport', ...otherKeys].some((key) => session?.[key] !== undefined);
  };

  const otherKeysOf = (store: SessionStore): string[] =>
    sessionKeysOf(store).filter((key) => key !== sessionKey);

  /** What the application wants of an anonymous visitor or the same user; nothing of anybody else. */
  const carriedOver = (
    session: Record<string, unknown>,
    record: TokenRecord,
    otherKeys: readonly string[],
  ): Record<string, unknown> => {
    const before = markOf(session);
    const { iss, sub } = record.tokens.claims;
    // The same user at another tenant is somebody else.
    const isSame = before?.user === userDigest(iss, sub) && before.tenant === tenant;
    if (before === undefined ? isAnothers(session, otherKeys) : !isSame) return {};
    const never = [...neverCarried, sessionKey, ...otherKeys];
    const dataOf = (data: object): Record<string, unknown> =>
      Object.fromEntries(Object.entries(data).filter(([name]) => !never.includes(name)));
    const { claims } = record.tokens;
    // Again: a function of the application may return what it likes.
    return dataOf(options.carryOver({ session: dataOf(session), claims }));
  };

  const establish: LoginSessions['establish'] = async (req, tokens, transaction, renew, data) => {
    const request = checked(req);
    const before = await visitorSession(request, transaction);
    const record = createTokenRecord(tokens);
    // A Strict cookie did not come along: its session is replaced by us, any other by `renew`.
    const leftBehindId = visitorId(request) === undefined ? transaction.sessionId : undefined;
    const otherKeys = otherKeysOf(request.sessionStore);
    // First: what the application throws here leaves the visitor as they were.
    const carried = carriedOver(before, record, otherKeys);
    const idBefore = request.sessionID;
    await renew(request);
    // Passport renews nothing with `session: false`, and an id from before could be anybody's.
    if (request.sessionID === idBefore) await regenerateSession(request);
    const { session, sessionID: sessionId, sessionStore: store } = request;
    const mark = {
      ...(index ? indexedLoginMark : loginMark)(record, sessionId),
      ...(tenant === undefined ? {} : { tenant }),
    };
    const place = { store, sessionId };
    Object.assign(session, carried, data, { [sessionKey]: mark });
    try {
      const written = tokenStore.write(place, record, session.cookie);
      if (index === undefined) {
        // At once: nobody can know of this login yet, and neither is good for anything without the other.
        const both = await Promise.allSettled([written, saveNewSession(session)]);
        const failed = both.find((write) => write.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      } else {
        // One by one: from the moment that it is in the index, the OP may end it.
        await written;
        await index.add(place, mark, record.loggedInAt, session.cookie);
        await settle((done) => session.save(done));
      }
      if (leftBehindId !== undefined) await destroyEntry(store, leftBehindId);
      const begunAt = Math.floor(transaction.startedAt / 1000);
      if (await index?.isRefused(store, mark, begunAt)) throw endedMeanwhile();
    } catch (error) {
      await settle((done) => session.destroy(done)).catch(() => undefined);
      throw error;
    }
    publish('login', { login: eventLogin(record, sessionKey), req });
    return sessionId;
  };

  return {
    isAnothers(req) {
      const { session, sessionStore } = checked(req);
      return isAnothers(session, otherKeysOf(sessionStore));
    },

    visitorId: (req) => visitorId(checked(req)),

    async current(req) {
      const request = checked(req);
      const mark = markOf(request.session);
      if (mark === undefined || mark.tenant !== tenant) return undefined;
      const place = { store: request.sessionStore, sessionId: request.sessionID };
      const record = await tokenStore.read(place);
      if (record?.loginId !== mark.id) return undefined;
      if (isUnbound(record, options)) return undefined;
      if (hasOutlived(record, options)) {
        await settle((done) => request.session.destroy(done));
        return undefined;
      }
      return { place, record, cookie: request.session.cookie };
    },

    establish(req, tokens, transaction, renew, data = {}) {
      const { sessionId } = transaction;
      const established = establish(req, tokens, transaction, renew, data);
      if (sessionId !== undefined) {
        successors.set(
          sessionId,
          established.catch(() => undefined),
        );
      }
      return established;
    },

    async adopt(req, sessionId) {
      const request = checked(req);
      if (request.sessionID === sessionId) return false;
      const entry = await readEntry(request.sessionStore, sessionId);
      if (entry === undefined) {
        throw new TransactionError(
          'ERR_OIDC_TRANSACTION_UNKNOWN',
          'the session of this login has ended meanwhile',
        );
      }
      request.sessionID = sessionId;
      request.sessionStore.createSession(request, entry);
      return true;
    },

    stores: () => tenantSessions?.stores() ?? [...followed],

    storeOf(req) {
      if (hasSeenSession && !hasSession(req)) throw disconnected();
      return sessionStoreOf(req);
    },

    async end(req) {
      const request = checked(req);
      if (request.session === undefined) return;
      // Another tenant's login is not this one's to end.
      const mark = markOf(request.session);
      if (mark !== undefined && mark.tenant !== tenant) return;
      await settle((done) => request.session.destroy(done));
    },
  };
}

/**
 * express-session gives every request an id, and does not tell whether the browser brought it. Its
 * cookie holds the id in clear, signed.
 */
function visitorId(req: Request): string | undefined {
  const { sessionID } = req as SessionRequest;
  if (!sessionID) return undefined;
  return req.headers.cookie?.includes(encodeURIComponent(sessionID)) ? sessionID : undefined;
}

/** express-session leaves requests alone while its store says that it is disconnected. */
function disconnected(): SessionStoreError {
  return new SessionStoreError(
    new Error('the store is disconnected'),
    'ERR_OIDC_SESSION_STORE',
    'this request has no session, and others had one: either the session store is disconnected, or this route comes first: mount express-session before oidc.router() and the guards',
  );
}
