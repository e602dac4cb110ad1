import type { Request } from 'express';
import type { RenewSession } from './login-session.ts';

type Done = (error?: unknown) => void;

/** Passport's `req.logIn`, in its two forms. */
type LogIn = (user: unknown, optionsOrDone: object | Done, done?: Done) => void;

/** A request on which Passport is at work. */
export interface PassportRequest {
  logIn: LogIn;
  login: LogIn;
}

/** Whether Passport has been mounted in front. */
export function canLogIn(req: Request): boolean {
  return typeof (req as Partial<PassportRequest>).logIn === 'function';
}

/** Renews the session by Passport, which puts the user into the new one. */
export function passportSession(user: unknown, options: object = {}): RenewSession {
  return (req) =>
    new Promise((resolve, reject) => {
      const { logIn } = req as unknown as PassportRequest;
      logIn.call(req, user, options, (error) => (error ? reject(error) : resolve()));
    });
}
