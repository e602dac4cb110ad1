import { parse, serialize } from 'cookie';
import type { Request, Response } from 'express';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { flowCookies } from './flow-cookies.ts';

/** A logout on its way to the OP and back. */
export interface LogoutUnderWay {
  readonly state: string;
  readonly returnTo: string;
}

/** The sealed cookie that remembers a logout while the browser is at the OP. */
export interface LogoutCookie {
  store(res: Response, logout: LogoutUnderWay): void;
  find(req: Request): LogoutUnderWay | undefined;
  remove(res: Response): void;
}

/** Long enough for a question at the OP. */
const ttlSeconds = 600;

export function createLogoutCookie(options: ResolvedOptions, sealer: Sealer): LogoutCookie {
  const { prefix, attributes } = flowCookies(options);
  const name = `${prefix}logout`;
  const purpose = JSON.stringify(['logout', options.issuer, options.clientId]);
  return {
    store(res, { state, returnTo }) {
      const value = sealer.seal(JSON.stringify([state, returnTo]), purpose);
      res.append('Set-Cookie', serialize(name, value, { ...attributes, maxAge: ttlSeconds }));
    },
    find(req) {
      const text = sealer.open(parse(req.headers.cookie ?? '')[name] ?? '', purpose);
      if (text === undefined) return undefined;
      const [state, returnTo] = JSON.parse(text) as [string, string];
      return { state, returnTo };
    },
    remove(res) {
      res.append('Set-Cookie', serialize(name, '', { ...attributes, maxAge: 0 }));
    },
  };
}
