import { randomBytes } from 'node:crypto';
import { LyingOp } from './lying-op.ts';

/** A local OpenID Provider for tests, honest until it is told to lie. */
export type FakeOp = LyingOp;

/** Options of {@link fakeOp}. */
export interface FakeOpOptions {
  /** Epoch milliseconds; give the same clock to `hybridFlow()`. @default `Date.now` */
  now?: (() => number) | undefined;
  /** @default 'client' */
  clientId?: string | undefined;
  /** @default made anew for each OP */
  clientSecret?: string | undefined;
}

/** What `hybridFlow()` needs to know of a {@link FakeOp}. */
export interface FakeOpClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** For the option of that name: made anew at each call. */
  readonly secret: string;
}

const running = new Map<string, FakeOp>();

/**
 * Starts an OP on a free port of loopback. It signs everybody in as whom a test says, with any of the
 * response types, and rotates refresh tokens: a spent one that comes again revokes the grant.
 *
 * @throws Error where `NODE_ENV` is `production`: it asks nobody for a password
 */
export async function fakeOp(options: FakeOpOptions = {}): Promise<FakeOp> {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error(
      'fakeOp() signs everybody in without a password, and NODE_ENV is "production": it is for tests',
    );
  }
  const op = await LyingOp.start(options.now ?? Date.now);
  op.clientId = options.clientId ?? 'client';
  op.clientSecret = options.clientSecret ?? randomBytes(24).toString('base64url');
  running.set(op.issuer, op);
  return op;
}

/** Options of `hybridFlow()` for a client of this OP; `baseUrl` is the application's to add. */
export function clientOf(op: FakeOp): FakeOpClient {
  return {
    issuer: op.issuer,
    clientId: op.clientId,
    clientSecret: op.clientSecret,
    secret: randomBytes(32).toString('base64url'),
  };
}

/** The OP that a URL is of, if it is one of this process. */
export function opAt(url: string): FakeOp | undefined {
  return running.get(new URL(url).origin);
}
