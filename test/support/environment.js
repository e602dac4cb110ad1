import { TestEnvironment } from 'jest-environment-node';

const ordinary = Function.prototype[Symbol.hasInstance];

/**
 * Lets `instanceof` see Node's own errors, as it does outside jest: jest runs tests in a second
 * realm, so that libraries would take other branches here than in production.
 */
export default class OneRealmEnvironment extends TestEnvironment {
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
  }
}
