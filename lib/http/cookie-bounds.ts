/** Between a name and its value, and between two cookies: `=` and `; `. */
const separatorBytes = 3;

/** The cookie of a login, as far as bounds go. */
export interface SizedCookie {
  readonly name: string;
  readonly bytes: number;
  /** Epoch milliseconds; 0 where it cannot be read. */
  readonly startedAt: number;
}

/** Sizes up a cookie whose value begins with a time, in base 36. */
export function sizeOf(name: string, value: string): SizedCookie {
  return {
    name,
    bytes: name.length + value.length + separatorBytes,
    startedAt: Number.parseInt(/^[0-9a-z]{1,9}(?=\.)/.exec(value)?.[0] ?? '0', 36),
  };
}

/** Names of the cookies that have to go: all but the newest that fit, those with no readable time first. */
export function surplusCookies(
  cookies: readonly SizedCookie[],
  maxCount: number,
  maxBytes: number,
): string[] {
  let bytes = 0;
  return (
    [...cookies]
      // Of the same moment, the last is the newest.
      .reverse()
      .sort((a, b) => b.startedAt - a.startedAt)
      .filter((cookie, index) => {
        bytes += cookie.bytes;
        return index >= maxCount || bytes > maxBytes;
      })
      .map(({ name }) => name)
  );
}
