export * from '../../lib/testing/clock.ts';

import type { Clock } from '../../lib/testing/clock.ts';

/** A clock that goes on by a millisecond whenever somebody reads it: no two moments are the same. */
export function startTickingClock(): Clock {
  let time = Date.now();
  return {
    now() {
      time += 1;
      return time;
    },
    advance(seconds) {
      time += seconds * 1000;
    },
  };
}
