import { logTo } from 'passport-oidc-hybrid';
import type { LyingOp } from '../../lib/testing/lying-op.ts';

/** What a program prints that a test has started. */
export interface Printed {
  /** In the order that they came. */
  readonly chunks: string[];
  /** Settles when nothing more can come, and never where the program goes on. */
  readonly done: Promise<unknown>;
  readonly hasEnded: () => boolean;
}

/** What the environment of a test file reads when the file is done: see `environment.js`. */
interface Watched {
  readonly ops: Set<LyingOp>;
  readonly secrets: Set<string>;
  /** What the library would log. */
  readonly lines: string[];
  readonly programs: Printed[];
  isLogged: boolean;
  isMadeUp: boolean;
}

const place: unique symbol = Symbol.for('passport-oidc-hybrid: watched output') as never;

function watched(): Watched {
  const globals = globalThis as { [place]?: Watched };
  globals[place] ??= {
    ops: new Set(),
    secrets: new Set(),
    lines: [],
    programs: [],
    isLogged: false,
    isMadeUp: false,
  };
  return globals[place];
}

/**
 * Has all that a test file prints, and every line that the library would log for it, searched for what this OP
 * has handed out and for the secret of its client. What goes by HTTP is known without.
 */
export function watchOutput(op: LyingOp, ...secrets: string[]): void {
  const all = watched();
  if (!all.isLogged) {
    all.isLogged = true;
    logTo((line) => all.lines.push(JSON.stringify(line)));
  }
  all.ops.add(op);
  keepSecret(op.clientSecret, ...secrets);
}

/** Names secrets that nothing of the test file may print, nor a program that it starts. */
export function keepSecret(...secrets: string[]): void {
  for (const secret of secrets) watched().secrets.add(secret);
}

/** Has what a program prints searched as well. */
export function watchProgram(printed: Printed): void {
  watched().programs.push(printed);
}

/**
 * For a test file that makes up what it sends, and puts any value in any place: what goes by HTTP is no secret
 * there, and an event may repeat it. Secrets that are named are looked for all the same.
 */
export function makeUpWire(): void {
  watched().isMadeUp = true;
}
