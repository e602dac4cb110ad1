/** A clock that stands still until a test moves it. */
export interface Clock {
  /** Epoch milliseconds. */
  now: () => number;
  advance(seconds: number): void;
}

export function startClock(at: number = Date.now()): Clock {
  let time = at;
  return {
    now: () => time,
    advance(seconds) {
      time += seconds * 1000;
    },
  };
}
