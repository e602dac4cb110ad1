import { MemoryStore, type SessionData } from 'express-session';

type Done = (error?: unknown) => void;

/** A store in memory that fails when it is told to, before it does anything. */
export class FailingStore extends MemoryStore {
  /** Asked at each operation. */
  failsAt: (operation: 'read' | 'write', sid: string) => boolean = () => false;
  /** Whether it throws, in place of calling back with an error. */
  throws = false;

  override get(sid: string, done: (error: unknown, session?: SessionData | null) => void): void {
    this.#unlessFailing('read', sid, done, () => super.get(sid, done));
  }

  override set(sid: string, session: SessionData, done?: Done): void {
    this.#unlessFailing('write', sid, done, () => super.set(sid, session, done));
  }

  override touch(sid: string, session: SessionData, done?: () => void): void {
    this.#unlessFailing('write', sid, done, () => super.touch(sid, session, done));
  }

  override destroy(sid: string, done?: Done): void {
    this.#unlessFailing('write', sid, done, () => super.destroy(sid, done));
  }

  #unlessFailing(
    operation: 'read' | 'write',
    sid: string,
    done: Done | undefined,
    act: () => void,
  ): void {
    if (!this.failsAt(operation, sid)) act();
    else if (this.throws) throw new Error(`the store threw at a ${operation}`);
    else setImmediate(() => done?.(new Error(`the store failed to ${operation}`)));
  }
}
