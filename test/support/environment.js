import diagnostics from 'node:diagnostics_channel';
import { format } from 'node:util';
import { TestEnvironment } from 'jest-environment-node';

const ordinary = Function.prototype[Symbol.hasInstance];
const watched = Symbol.for('passport-oidc-hybrid: watched output');

/**
 * Lets `instanceof` see Node's own errors, as it does outside jest: jest runs tests in a second
 * realm, so that libraries would take other branches here than in production.
 *
 * Fails a test file whose output, or whose log, has a secret or a token in it (see `output-watch.ts`).
 */
export default class OneRealmEnvironment extends TestEnvironment {
  #printed = [];
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
    this.#endSubscriptions();
  }

  async teardown() {
    for (const restore of this.#restore) restore();
    const leaked = findSecrets(this.global[watched], this.#printed);
    await super.teardown();
    if (leaked.length === 0) return;
    throw new Error(`secrets or tokens have been printed or logged:\n${leaked.join('\n')}`);
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

/** Where a secret is, by the text around it and not by itself. */
function findSecrets({ ops = [], secrets = [], lines = [] } = {}, printed) {
  const texts = [...new Set([...lines, ...printed])];
  const tokens = new Set([...ops].flatMap((op) => op.handedOut));
  const isTold = (text) =>
    [...secrets].some((secret) => text.includes(secret)) ||
    // Tokens are many: words are looked up among them, and those of a JWT piece by piece.
    [...text.matchAll(/[\w-]{20,}(?:\.[\w-]+){0,2}/g)].some(([word]) => tokens.has(word));
  return texts.filter(isTold).map((text) => text.replace(/[\w-]{20,}/g, '…').slice(0, 200));
}
