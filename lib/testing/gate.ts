/** A point at which somebody waits until it is opened: tests of races need no sleeping then. */
export interface Gate {
  /** Resolves when somebody has come. */
  readonly reached: Promise<void>;
  /** Comes to the gate and waits. */
  wait(): Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  const arrival = deferred();
  const opening = deferred();
  return {
    reached: arrival.promise,
    wait() {
      arrival.resolve();
      return opening.promise;
    },
    open: opening.resolve,
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
