import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { OidcContext } from './oidc-context.ts';

declare const login: unique symbol;

/**
 * The `Locals` of requests that have passed a guard. The mark is for the compiler: Express gives the
 * type of `res.locals` to all handlers of a route, and `req.oidc` is read off it. Nothing is there when
 * the program runs.
 */
// biome-ignore lint/suspicious/noExplicitAny: applications keep what they like in `res.locals`
export type GuardedLocals<Login = OidcContext> = Record<string, any> & { readonly [login]: Login };

/**
 * What `req.oidc` is on a request of this type: what its guard says, or possibly nothing.
 *
 * Read off the whole request, because `Express.Request` has no type parameters, and under no name that
 * another package could have declared as well.
 */
export type LoginOf<Req> = Req extends {
  readonly res?: { readonly locals: { readonly [login]: infer Login } } | undefined;
}
  ? Login
  : OidcContext | undefined;

/** A request handler after which the inline handlers of the same route see `req.oidc` as `Login`. */
export interface GuardHandler<Login = OidcContext> {
  // First what any middleware may be taken for; the compiler infers from the last one, in which nothing
  // is said of `req.params`, so that handlers keep the names in the path.
  (req: Request, res: Response, next: NextFunction): void;
  (
    req: IncomingMessage & Express.Request,
    // biome-ignore lint/suspicious/noExplicitAny: the default of Express, for any body
    res: Response<any, GuardedLocals<Login>>,
    next: NextFunction,
  ): void;
}
