/** Longest chain of causes that is followed. */
const maxDepth = 8;

/**
 * Names, messages and codes of an error and of what is behind it, and nothing else that hangs on
 * them: clients put whole commands and answers there, sessions and tokens included, and errors are
 * logged whole.
 */
export function safeCause(error: unknown, depth = 0): Error | undefined {
  if (!(error instanceof Error) || depth === maxDepth) return undefined;
  const cause = safeCause(error.cause, depth + 1);
  const { name, message, code } = error as Error & { code?: unknown };
  const safe = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(safe, code === undefined ? { name } : { name, code });
}
