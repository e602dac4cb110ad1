import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRemoteJWKSet, customFetch, type JWTPayload, jwtVerify } from 'jose';
import type { CertifiedOp } from './certified-op.ts';
import { presentedThumbprint } from './mutual-tls.ts';

/** How an API knows that a token is shown by whom it was given to. */
export type CheckBinding = (
  req: IncomingMessage,
  res: ServerResponse,
  token: { readonly value: string; readonly cnf: Record<string, unknown> },
) => Promise<string | undefined>;

/** What the API has got. */
export interface BoundApi {
  readonly listener: RequestListener;
  readonly calls: { accepted: number; refused: string[] };
}

/** An API that takes JWT access tokens of the OP which are bound to whoever calls, and no others. */
export function createBoundApi(
  op: Pick<CertifiedOp, 'issuer' | 'audience' | 'jwksUri' | 'fetch'>,
  scheme: 'Bearer' | 'DPoP',
  checkBinding: CheckBinding,
): BoundApi {
  const keys = createRemoteJWKSet(new URL(op.jwksUri), { [customFetch]: op.fetch });
  const calls: BoundApi['calls'] = { accepted: 0, refused: [] };
  const verify = async (req: IncomingMessage, res: ServerResponse): Promise<JWTPayload> => {
    const [found, value = ''] = (req.headers.authorization ?? '').split(' ');
    if (found !== scheme) throw new Error(`the scheme is ${found}`);
    const { payload } = await jwtVerify(value, keys, {
      issuer: op.issuer,
      audience: op.audience,
      typ: 'at+jwt',
    });
    const cnf = (payload['cnf'] ?? {}) as Record<string, unknown>;
    const wrong = await checkBinding(req, res, { value, cnf });
    if (wrong !== undefined) throw new Error(wrong);
    return payload;
  };
  return {
    calls,
    listener(req, res) {
      verify(req, res).then(
        ({ sub, cnf }) => {
          calls.accepted += 1;
          const { cookie } = req.headers;
          res.setHeader('Content-Type', 'application/json');
          res.end(JSON.stringify({ sub, cnf, cookie, url: req.url, method: req.method }));
        },
        (error: Error) => {
          calls.refused.push(error.message);
          const code = error.message === 'use_dpop_nonce' ? error.message : 'invalid_token';
          res.statusCode = 401;
          res.setHeader('WWW-Authenticate', `${scheme} error="${code}"`);
          res.end(JSON.stringify({ error: error.message }));
        },
      );
    },
  };
}

/** RFC 8705 3: by the certificate of the connection. */
export const byCertificate: CheckBinding = async (req, _res, { cnf }) => {
  const presented = presentedThumbprint(req);
  if (presented === undefined) return 'no certificate';
  return cnf['x5t#S256'] === presented ? undefined : 'another certificate';
};

/** `ath` of a proof. */
export function accessTokenHash(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
