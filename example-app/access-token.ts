import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** The claims of an access token in which every check has passed. */
export interface Caller {
  readonly sub: string;
  readonly clientId: string | undefined;
  readonly scope: readonly string[];
  /** Epoch seconds. */
  readonly issuedAt: number | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

type BearerError = 'invalid_token' | 'insufficient_scope';

/** A refusal as RFC 6750 section 3 words it; without `error` where no token came at all. */
class BearerRefusal extends Error {
  readonly error: BearerError | undefined;
  readonly scope: string | undefined;

  constructor(message: string, error?: BearerError, scope?: string) {
    super(message);
    this.error = error;
    this.scope = scope;
  }
}

/** Of a signed JWT; `none` and the HMAC algorithms cannot be smuggled in. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/**
 * `at+jwt` is RFC 9068's. Auth0 can be set to plain `JWT`, and PingOne may leave `typ` out; an ID
 * Token is still refused then, because its `aud` is the client and not this API.
 */
const acceptedTypes = ['at+jwt', 'application/at+jwt', 'jwt', undefined];

/** Guards the routes of a resource server: `guard('orders:read')` lets such tokens through. */
export function createBearerGuard(
  issuer: string,
  audience: string,
): (scope?: string) => RequestHandler {
  const findKey = findKeysOf(issuer);
  return (scope) =>
    async function bearerGuard(req: Request, res: Response, next: NextFunction): Promise<void> {
      try {
        res.locals['caller'] = await verify(req.get('authorization'), {
          findKey,
          issuer,
          audience,
        });
        requireScope(callerOf(res), scope);
      } catch (error) {
        if (error instanceof BearerRefusal) return refuse(res, error);
        throw error;
      }
      next();
    };
}

/** The caller of a request that has passed the guard. */
export function callerOf(res: Response): Caller {
  return res.locals['caller'];
}

interface Expected {
  readonly findKey: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
}

async function verify(authorization: string | undefined, expected: Expected): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw new BearerRefusal('a bearer access token is needed');
  const { issuer, audience, findKey } = expected;
  const checks = {
    issuer,
    audience,
    algorithms,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: 5,
  };
  const { payload, protectedHeader } = await jwtVerify(token, findKey, checks).catch(
    translateJoseError,
  );
  if (!acceptedTypes.includes(protectedHeader.typ?.toLowerCase())) {
    throw new BearerRefusal('this JWT is not an access token', 'invalid_token');
  }
  const { scope, client_id } = payload;
  return {
    sub: payload.sub ?? '',
    clientId: typeof client_id === 'string' ? client_id : undefined,
    scope: typeof scope === 'string' ? scope.split(' ') : [],
    issuedAt: payload.iat,
    expiresAt: payload.exp ?? 0,
  };
}

/** A bad token is the caller's fault, an OP that cannot be reached is not: 401 versus 500. */
function translateJoseError(error: unknown): never {
  const isOurs = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
  if (!(error instanceof errors.JOSEError) || isOurs) throw error;
  // RFC 6750 section 3: error_description has no quotes or backslashes.
  throw new BearerRefusal(error.message.replaceAll(/["\\]/g, "'"), 'invalid_token');
}

function requireScope(caller: Caller, scope: string | undefined): void {
  if (scope === undefined || caller.scope.includes(scope)) return;
  throw new BearerRefusal(`scope ${scope} is needed`, 'insufficient_scope', scope);
}

function refuse(res: Response, { error, message, scope }: BearerRefusal): void {
  const status = error === 'insufficient_scope' ? 403 : 401;
  const challenge = ['realm="orders"'];
  if (error) challenge.push(`error="${error}"`, `error_description="${message}"`);
  if (scope) challenge.push(`scope="${scope}"`);
  res.set('WWW-Authenticate', `Bearer ${challenge.join(', ')}`);
  res.status(status).type('application/problem+json');
  res.send({ status, title: status === 403 ? 'Forbidden' : 'Unauthorized', detail: message });
}

/** Finds the OP's keys by its discovery document, once, at the first token. */
function findKeysOf(issuer: string): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  return async function findKey(header, token) {
    keys ??= discoverKeys(issuer).catch((error: unknown) => {
      keys = undefined; // The OP may be back for the next request.
      throw error;
    });
    return (await keys)(header, token);
  };
}

async function discoverKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  const metadata: unknown = response.ok ? await response.json() : undefined;
  if (metadata instanceof Object && 'jwks_uri' in metadata) {
    return createRemoteJWKSet(new URL(String(metadata.jwks_uri)));
  }
  throw new Error(`no jwks_uri in ${url} (HTTP ${response.status})`);
}
