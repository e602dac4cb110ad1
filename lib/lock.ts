/** Gives the lock back; harmless when its lease has run out. */
export type Release = () => void | Promise<void>;

/**
 * Mutual exclusion among everybody who shares the session store. One process needs no other than
 * {@link inProcessLock}.
 */
export interface Lock {
  /**
   * Waits until the lock is free or `waitSeconds` are over; with 0 it does not wait at all.
   *
   * @param leaseSeconds after this time a holder that died has lost the lock. A holder that lives
   *   keeps it, however long its work takes (a slow OP): renew the lease until the release
   * @returns `undefined` when the wait is over
   */
  acquire(key: string, leaseSeconds: number, waitSeconds: number): Promise<Release | undefined>;
}
