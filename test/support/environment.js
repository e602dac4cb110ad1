import diagnostics from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { format, inspect } from 'node:util';
import { TestEnvironment } from 'jest-environment-node';
import { findSecrets } from './find-secrets.js';
import { watchWire } from './wire-secrets.js';

const ordinary = Function.prototype[Symbol.hasInstance];
const watched = Symbol.for('passport-oidc-hybrid: watched output');

/**
 * Lets `instanceof` see Node's own errors, as it does outside jest: jest runs tests in a second
 * realm, so that libraries would take other branches here than in production.
 *
 * Fails a test file where a secret, a token, a code or a cookie that came or went by HTTP, or that the test has
 * named, is in what it printed, in what programs printed that it has started (`child-process.ts`), in an event of
 * the library or in what the library would log.
 */
export default class OneRealmEnvironment extends TestEnvironment {
  #printed = [];
  #secrets = new Set();
  #restore = [];

  async setup() {
    await super.setup();
    for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError']) {
      const inner = this.global[name];
      const outer = globalThis[name];
      Object.defineProperty(inner, Symbol.hasInstance, {
        configurable: true,
        value(candidate) {
          return (
            ordinary.call(this, candidate) || (this === inner && ordinary.call(outer, candidate))
          );
        },
      });
    }
    for (const stream of [process.stdout, process.stderr]) this.#listen(stream, 'write', String);
    for (const name of ['debug', 'error', 'info', 'log', 'warn']) {
      this.#listen(this.global.console, name, format);
    }
    const endWire = watchWire((secret) => {
      if (this.#isMadeUp()) endWire();
      else this.#secrets.add(secret);
    });
    this.#restore.push(endWire);
    this.#listenToEvents();
    this.#endSubscriptions();
  }

  async teardown() {
    const { ops = [], secrets = [], lines = [], programs = [] } = this.global[watched] ?? {};
    const last = programs.filter(({ hasEnded }) => hasEnded()).map(({ done }) => done);
    // The last words of a program come after its end; a program of its own may hold the pipe open for ever.
    await Promise.race([Promise.all(last), setTimeout(5000, undefined, { ref: false })]);
    for (const restore of this.#restore) restore();
    const handedOut = [...ops].flatMap((op) => op.handedOut);
    const leaked = findSecrets(
      [...this.#printed, ...lines, ...programs.map(({ chunks }) => chunks.join(''))],
      [...this.#secrets, ...secrets, ...handedOut],
    );
    // jest may keep the environments of many files.
    this.#printed = [];
    this.#secrets.clear();
    await super.teardown();
    if (leaked.length === 0) return;
    throw new Error(`secrets or tokens have been printed or logged:\n${leaked.join('\n')}`);
  }

  /** Whether what goes by HTTP is made up: see `makeUpWire` in `output-watch.ts`. */
  #isMadeUp() {
    return this.global[watched]?.isMadeUp === true;
  }

  /** Names of tests are printed as well, and those of tables are made of what is in them. */
  handleTestEvent({ name, test }) {
    if (name === 'test_start') this.#printed.push(test.name);
  }

  /**
   * What a listener would print that prints all of an event, but for what may have secrets: the request, and
   * errors of the application.
   */
  #listenToEvents() {
    for (const name of ['step', 'login', 'refusal', 'refresh', 'reuse', 'logout', 'error']) {
      const listener = ({ req: _, error, ...event }) => {
        if (this.#isMadeUp()) return;
        const own = String(error?.code).startsWith('ERR_OIDC_') ? error : undefined;
        this.#printed.push(inspect({ ...event, error: own }, { depth: 10 }));
      };
      diagnostics.subscribe(`passport-oidc-hybrid:${name}`, listener);
      this.#restore.push(() => diagnostics.unsubscribe(`passport-oidc-hybrid:${name}`, listener));
    }
  }

  /** Channels belong to the process, and outlive the test file: the next one's events are none of its business. */
  #endSubscriptions() {
    const { subscribe, unsubscribe } = diagnostics;
    diagnostics.subscribe = (name, listener) => {
      subscribe(name, listener);
      this.#restore.push(() => unsubscribe(name, listener));
    };
    this.#restore.push(() => {
      diagnostics.subscribe = subscribe;
    });
  }

  #listen(target, name, toText) {
    const original = target[name];
    target[name] = (...args) => {
      this.#printed.push(toText(...args));
      return original.apply(target, args);
    };
    this.#restore.push(() => {
      target[name] = original;
    });
  }
}
