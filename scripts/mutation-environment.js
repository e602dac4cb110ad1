// The environment of the tests, with one mutant awake, or none and a record of those that a test file
// comes to. A test file that is named `….mutant-7.test.ts` is run with the seventh awake. What came of each file
// is written into the folder MUTATION_RESULTS.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import OneRealmEnvironment from '../test/support/environment.js';

const results = process.env['MUTATION_RESULTS'];

export default class MutationEnvironment extends OneRealmEnvironment {
  #begun = Date.now();
  #test;
  #awake;
  #reached = new Set();
  #different = new Set();
  #failure;
  #isFinished = false;

  constructor(config, context) {
    super(config, context);
    this.#test = context.testPath;
    this.#awake = /\.mutant-(\d+)\.test\.ts$/.exec(context.testPath)?.[1];
  }

  async setup() {
    await super.setup();
    this.global.__mutants__ = this.#awake === undefined ? this.#recording() : this.#waking();
  }

  #waking() {
    const awake = Number(this.#awake);
    return {
      isAwake: (id) => id === awake,
      value: (original, others) => (others[awake] ?? original)(),
    };
  }

  #recording() {
    return {
      isAwake: (id) => {
        this.#reached.add(id);
        this.#different.add(id);
        return false;
      },
      value: (original, others) => {
        const value = original();
        for (const [id, other] of Object.entries(others)) {
          this.#reached.add(Number(id));
          if (isDifferent(value, other)) this.#different.add(Number(id));
        }
        return value;
      },
    };
  }

  /** One test that fails is enough: the rest of the file is left out. */
  async handleTestEvent(event) {
    super.handleTestEvent(event);
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') {
      this.#failure ??= String(event.error?.message ?? event.error);
    }
    if (event.name === 'run_finish') this.#isFinished = true;
    if (event.name === 'test_start' && this.#failure !== undefined) event.test.mode = 'skip';
  }

  async teardown() {
    const result = {
      test: this.#test,
      milliseconds: Date.now() - this.#begun,
      failure: this.#isFinished ? this.#failure : 'its tests could not begin',
      reached: [...this.#reached],
      different: [...this.#different],
    };
    appendFileSync(join(results, `${process.pid}.jsonl`), `${JSON.stringify(result)}\n`);
    await super.teardown();
  }
}

/** Objects are looked at from outside only: two of them count as different. */
function isDifferent(value, other) {
  try {
    return !Object.is(value, other());
  } catch {
    return true;
  }
}
