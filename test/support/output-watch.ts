import { logTo } from 'passport-oidc-hybrid';
import type { LyingOp } from '../../lib/testing/lying-op.ts';

/** What the environment of a test file reads when the file is done. */
interface Watched {
  readonly ops: Set<LyingOp>;
  readonly secrets: Set<string>;
  readonly lines: string[];
}

const place: unique symbol = Symbol.for('passport-oidc-hybrid: watched output') as never;

/**
 * Has all that a test file prints, and every line that the library would log for it, searched for the
 * secrets of this OP and of its client when the file is done: see `environment.js`.
 */
export function watchOutput(op: LyingOp, ...secrets: string[]): void {
  const globals = globalThis as { [place]?: Watched };
  if (globals[place] === undefined) {
    const lines: string[] = [];
    globals[place] = { ops: new Set(), secrets: new Set(), lines };
    logTo((line) => lines.push(JSON.stringify(line)));
  }
  globals[place].ops.add(op);
  for (const secret of [op.clientSecret, ...secrets]) globals[place].secrets.add(secret);
}
