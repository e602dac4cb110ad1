import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { CertifiedOp } from './certified-op.ts';
import { listen } from './listen.ts';

/** An API behind the application. */
export interface ResourceServer {
  readonly url: string;
  /** How often it was called, with a good token or without. */
  readonly calls: { accepted: number; refused: number };
  close(): Promise<void>;
}

/** What the API answers to a good token: what it was sent. */
export interface ResourceServerAnswer {
  readonly sub: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

/**
 * Starts an API that takes JWT access tokens of the OP, and nothing else.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 section 4}
 */
export async function startResourceServer({
  op,
}: {
  op: Pick<CertifiedOp, 'issuer' | 'audience' | 'jwksUri' | 'fetch'>;
}): Promise<ResourceServer> {
  const keys = createRemoteJWKSet(new URL(op.jwksUri), { [customFetch]: op.fetch });
  const calls = { accepted: 0, refused: 0 };
  const listening = await listen((req, res) => {
    verifyAccessToken(req, op, keys).then(
      (sub) => {
        calls.accepted += 1;
        const { authorization, cookie } = req.headers;
        sendJson(res, 200, { sub, authorization, cookie } satisfies ResourceServerAnswer);
      },
      (error: unknown) => {
        calls.refused += 1;
        res.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
        sendJson(res, 401, { error: 'invalid_token', reason: String(error) });
      },
    );
  });
  return { url: `http://127.0.0.1:${listening.port}`, calls, close: listening.close };
}

async function verifyAccessToken(
  req: IncomingMessage,
  op: Pick<CertifiedOp, 'issuer' | 'audience'>,
  keys: JWTVerifyGetKey,
): Promise<string | undefined> {
  const token = /^Bearer ([\w.-]+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '';
  const { payload } = await jwtVerify(token, keys, {
    issuer: op.issuer,
    audience: op.audience,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'sub'],
  });
  return payload.sub;
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(body));
}
