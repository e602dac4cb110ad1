/** A clock that stands still until a test moves it. */
export interface Clock {
  /** Epoch milliseconds. */
  now: () => number;
  advance(seconds: number): void;
}

/** A clock that stands still, now or at another time (epoch milliseconds). */
export function startClock(at: number = Date.now()): Clock {
  let time = at;
  return {
    now: () => time,
    advance(seconds) {
      time += seconds * 1000;
    },
  };
}

/**
 * A clock that runs, behind the machine's until a test moves it on: a login of an hour ago ends up in
 * the present, where the stores are with clocks of their own.
 */
export function startClockBehind(seconds: number): Clock {
  let behind = seconds;
  return {
    now: () => Date.now() - behind * 1000,
    advance(by) {
      behind -= by;
    },
  };
}
