import type { Arrival } from '../support/browser.ts';
import { type Flow, startFlow } from '../support/flow.ts';

/** Hands a login to a test, which may then do what it must not. */
export async function withLogin(
  use: (flow: Flow, arrival: Arrival) => Promise<void>,
): Promise<void> {
  const flow = await startFlow();
  try {
    await use(flow, await flow.signIn());
  } finally {
    await flow.close();
  }
}
