import { OptionsError } from '../errors.ts';

/**
 * Refuses misspelled options, with a guess at what was meant.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_UNKNOWN`
 */
export function refuseUnknown(options: object, knownOptions: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (knownOptions.includes(name)) continue;
    const near = nearest(name, knownOptions);
    throw new OptionsError(
      'ERR_OIDC_OPTION_UNKNOWN',
      name,
      `"${name}" is not an option of hybridFlow()${near ? `; did you mean "${near}"?` : ''}`,
    );
  }
}

/** The known name that is least far from a misspelled one, if any is near. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= 3 ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
