/** One thing that was looked at. */
export interface Finding {
  /** `fail`: logins cannot succeed, or not safely. `note`: worth knowing. */
  readonly verdict: 'ok' | 'note' | 'fail';
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly found: string;
  /** What to change, where there is something. */
  readonly change?: string;
}

/** A finding that is fine. */
export function ok(about: string, found: string): Finding {
  return { verdict: 'ok', about, found };
}

/** A finding that is worth knowing. */
export function note(about: string, found: string, change?: string): Finding {
  return { verdict: 'note', about, found, ...(change === undefined ? {} : { change }) };
}

/** A finding that has to change. */
export function fail(about: string, found: string, change: string): Finding {
  return { verdict: 'fail', about, found, change };
}
