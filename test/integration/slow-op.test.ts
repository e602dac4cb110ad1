import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../support/flow.ts';
import { createGate } from '../support/gate.ts';

let flow: Flow;
afterEach(() => flow.close());

/** Resolves when so many more requests have reached the application. */
let arrival: (count: number) => Promise<void>;

async function startCounted(): Promise<void> {
  flow = await startFlow({
    // So that a busy machine may take its time until all have come; the default limits are tried
    // with the same OP in processes.test.ts.
    oidc: { httpTimeoutSeconds: 30 },
    before(app) {
      let awaited = { count: 0, gate: createGate() };
      arrival = (count) => {
        awaited = { count, gate: createGate() };
        return awaited.gate.wait();
      };
      app.use((_req, _res, next) => {
        awaited.count -= 1;
        if (awaited.count === 0) awaited.gate.open();
        next();
      });
    },
  });
  await flow.signIn();
}

describe('an OP that takes 5 seconds for an answer of its token endpoint', () => {
  it('200 requests at once all wait for one refresh, and again after the next expiry', async () => {
    await startCounted();
    flow.op.lie({ refresh: { delaySeconds: 5 } });
    for (let round = 1; round <= 2; round += 1) {
      flow.clock.advance(4000);
      const held = flow.op.hold('/token');
      const arrived = arrival(200);
      const asking = Array.from({ length: 200 }, () => flow.browser.fetch(`${flow.baseUrl}/api/x`));
      await arrived;
      // Only now does the OP begin with its five seconds.
      held.release();
      const answers = await Promise.all(asking);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(200);
      const bearers = new Set(answers.map((answer) => json(answer)['authorization']));
      expect([...bearers]).toEqual([`Bearer ${flow.op.accessTokens.back[round]}`]);
      expect(flow.op.refreshes).toEqual({ granted: round, reused: 0 });
    }
  }, 120_000);
});
