import type { ServerMetadata } from 'openid-client';
import type { ResolvedOptions } from '../options.ts';
import { type Advice, adviseOnMetadata } from './metadata-advice.ts';
import { isForIdTokens } from './provider-keys.ts';

/** What a flow has found at its OP. */
export interface FoundProvider {
  readonly metadata: ServerMetadata;
  /** By how much this machine's clock is ahead; `undefined` where the OP does not say what time it has. */
  readonly secondsAhead: number | undefined;
  /** Keys that the OP publishes: not looked at yet. */
  readonly keys: readonly unknown[];
}

/** Says at start-up, on stderr, what would make logins fail; each flow once. */
export function warnOfProvider(found: FoundProvider, options: ResolvedOptions): void {
  if (warnedOf.has(options)) return;
  warnedOf.add(options);
  const advice = [
    ...adviseOnMetadata(found.metadata, options),
    ...adviseOnClock(found, options),
    ...adviseOnKeys(found),
  ];
  for (const { code, found: what, change } of advice) {
    process.emitWarning(`${what}. Cure: ${change}.`, { type: 'OidcWarning', code });
  }
}

const warnedOf = new WeakSet<object>();

function adviseOnClock({ secondsAhead = 0 }: FoundProvider, options: ResolvedOptions): Advice[] {
  // A clock of the application's own is one for tests, and says nothing of this machine.
  if (options.now !== Date.now || Math.abs(secondsAhead) <= options.clockToleranceSeconds)
    return [];
  const side = secondsAhead < 0 ? 'behind' : 'ahead of';
  return [
    {
      code: 'OIDC_CLOCK',
      isFatal: true,
      found: `the clock of this machine is ${Math.round(Math.abs(secondsAhead))} seconds ${side} that of the OP`,
      change:
        'set it (NTP), as ID Tokens would be refused that have expired by it, or are of the future',
    },
  ];
}

function adviseOnKeys({ keys }: FoundProvider): Advice[] {
  if (keys.some(isForIdTokens)) return [];
  return [
    {
      code: 'OIDC_KEYS',
      isFatal: true,
      found: 'the OP publishes no key that an ID Token could be verified with',
      change: 'let the OP sign by an asymmetric algorithm, such as RS256 or ES256',
    },
  ];
}
