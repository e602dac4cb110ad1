import { noteOf } from '../oidc/transaction.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Sealer } from '../tokens/seal.ts';
import { defaultReturnPath } from './return-to.ts';

/**
 * What a login may have to know of itself where its cookie does not come back. It travels sealed in
 * the state, behind the random part, and only with logins that are not the visitor's own first try.
 */
export interface LoginNote {
  /**
   * `again`: the library began it by itself, after one that failed, and does so once only. `silent`:
   * the visitor wants to see a page, and need not be signed in.
   */
  readonly kind: 'again' | 'silent';
  readonly returnTo: string;
}

interface NoteParts {
  readonly options: ResolvedOptions;
  readonly sealer: Sealer;
}

/** Longest return path in a state: some OPs have limits of their own. */
const maxPathLength = 200;

/** A note as the end of a state. */
export function sealNote({ options, sealer }: NoteParts, { kind, returnTo }: LoginNote): string {
  const path = returnTo.length > maxPathLength ? defaultReturnPath(options) : returnTo;
  return sealer.seal(JSON.stringify([kind, path]), purposeOf(options));
}

/** Whether a state is not that of an ordinary login, whoever made it. */
export function hasNote(state: string | undefined): boolean {
  return noteOf(state ?? '') !== undefined;
}

/** The note in a state that came back; `undefined` in that of an ordinary login. */
export function readNote(
  { options, sealer }: NoteParts,
  state: string | undefined,
): LoginNote | undefined {
  const sealed = noteOf(state ?? '');
  const text = sealed === undefined ? undefined : sealer.open(sealed, purposeOf(options));
  if (text === undefined) return undefined;
  const [kind, returnTo] = JSON.parse(text) as [LoginNote['kind'], string];
  return { kind, returnTo };
}

function purposeOf({ issuer, clientId }: ResolvedOptions): string {
  return JSON.stringify(['note', issuer, clientId]);
}
