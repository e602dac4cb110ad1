import { createHash } from 'node:crypto';
import type { Response as ExpressResponse, Request } from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { Pool } from 'undici';
import { createTransactionCookies } from '../../lib/http/transaction-cookies.ts';
import { createTransaction, type Transaction } from '../../lib/oidc/transaction.ts';
import { resolveOptions } from '../../lib/options/resolve-options.ts';
import { tokenHash } from '../../lib/testing/hash.ts';
import { createSealer } from '../../lib/tokens/seal.ts';
import { type Flow, sealingSecret, startFlow } from './flow.ts';
import { makeUpWire } from './output-watch.ts';

/** One request as it goes over the wire. */
export interface FuzzRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
}

/** What is looked at in an answer. */
export interface FuzzAnswer {
  readonly status: number;
  readonly location: string | undefined;
  /** Whether a session was begun. */
  readonly hasSession: boolean;
}

/** A login under way that would succeed: what the browser holds, and what the OP answers. */
export interface BegunLogin {
  readonly cookie: string;
  readonly response: readonly [name: string, value: string][];
}

/** An application that answers very many requests in little time, over real connections. */
export interface FuzzRig {
  readonly flow: Flow;
  begin(): Promise<BegunLogin>;
  send(request: FuzzRequest): Promise<FuzzAnswer>;
  close(): Promise<void>;
}

const clientSecret = 'secret of the client, of 32 bytes';

/** An application with an OP behind its option `fetch`. */
export async function startFuzzRig(
  oidc: Pick<Required<CommonOptions>, 'responseType'> & { responseMode: 'query' | 'form_post' },
): Promise<FuzzRig> {
  makeUpWire();
  const issuer = 'https://op.example';
  const op = await createOp(issuer);
  // The real time: a run takes minutes, and ID Tokens are made all along.
  const now = Date.now;
  const common = { issuer, clientSecret, now, fetch: op.fetch as typeof fetch, ...oidc };
  const flow = await startFlow({ oidc: common });
  const options = resolveOptions({
    clientId: 'client',
    baseUrl: flow.baseUrl,
    secret: sealingSecret,
    ...common,
  });
  const cookies = createTransactionCookies(options, createSealer(options.secrets));
  const pool = new Pool(flow.baseUrl.replace('localhost', '127.0.0.1'), { connections: 4 });
  return {
    flow,
    async begin() {
      const transaction = createTransaction(options, {
        returnTo: '/private',
        sessionId: undefined,
        responseMode: oidc.responseMode,
      });
      const set: string[] = [];
      const res = { append: (_name: string, value: string) => set.push(value) };
      cookies.store({ headers: {} } as Request, res as unknown as ExpressResponse, transaction);
      return {
        // The last: those before it are of other logins that begin at the same moment, and give way.
        cookie: set.at(-1)?.split(';')[0] ?? '',
        response: await op.answer(transaction),
      };
    },
    async send({ method, path, headers, body }) {
      const answer = await pool.request({
        method,
        path,
        headers: { host: new URL(flow.baseUrl).host, accept: 'text/html', ...headers },
        ...(body === undefined ? {} : { body }),
      });
      await answer.body.dump();
      const { location } = answer.headers;
      return {
        status: answer.statusCode,
        location: typeof location === 'string' ? location : undefined,
        hasSession: JSON.stringify(answer.headers['set-cookie'] ?? '').includes('connect.sid'),
      };
    },
    async close() {
      await pool.close();
      await flow.close();
    },
  };
}

interface FuzzOp {
  fetch(input: unknown, init?: RequestInit): Promise<Response>;
  /** Answers an authorization request by which a transaction was begun. */
  answer(transaction: Transaction): Promise<[name: string, value: string][]>;
}

async function createOp(issuer: string): Promise<FuzzOp> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  const begun = new Map<string, Transaction>();
  let count = 0;

  const idToken = (nonce: string, claims: object): Promise<string> =>
    new SignJWT({ nonce, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer)
      .setSubject('ada')
      .setAudience('client')
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(privateKey);

  const token = async (parameters: URLSearchParams): Promise<Response> => {
    const code = parameters.get('code') ?? '';
    const transaction = begun.get(code);
    begun.delete(code);
    if (transaction === undefined || parameters.get('code_verifier') !== transaction.codeVerifier) {
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    }
    return Response.json({
      access_token: 'at',
      token_type: 'Bearer',
      id_token: await idToken(transaction.nonce, {}),
    });
  };

  return {
    async fetch(input, init = {}) {
      const url = String(input);
      if (url.endsWith('/token')) return token(new URLSearchParams(String(init.body ?? '')));
      if (url.endsWith('/jwks')) return Response.json({ keys: [jwk] });
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['ES256'],
        authorization_response_iss_parameter_supported: true,
      });
    },
    async answer(transaction) {
      count += 1;
      const { state, nonce, responseType } = transaction;
      const code = createHash('sha256').update(String(count)).digest('base64url');
      begun.set(code, transaction);
      const types = responseType.split(' ');
      const hashes = {
        c_hash: tokenHash(code),
        s_hash: tokenHash(state),
        at_hash: tokenHash('front'),
      };
      return [
        ['code', code],
        ['state', state],
        ['iss', issuer],
        ...(types.includes('token')
          ? ([
              ['access_token', 'front'],
              ['token_type', 'Bearer'],
            ] as [string, string][])
          : []),
        ...(types.includes('id_token')
          ? ([['id_token', await idToken(nonce, hashes)]] as [string, string][])
          : []),
      ];
    },
  };
}
