import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.ts';
import { type Flow, json, startFlow } from '../support/flow.ts';
import { postLogoutToken } from '../support/logout-request.ts';
import { createRandom } from '../support/random.ts';

let flow: Flow;
afterEach(() => flow.close());

const rounds = 1000;

/** Set `RACE_SEED` to the number that a failed run has named, and the same orders come again. */
const seed = Number(process.env['RACE_SEED'] ?? randomInt(2 ** 31));

describe(`logout wins (seed ${seed})`, () => {
  it(`in ${rounds} rounds of a session that is written, a refresh and a logout, in any order`, async () => {
    const random = createRandom(seed);
    flow = await startFlow({
      oidc: { backchannelLogout: true },
      // Saves the session in any case, as applications of the old school do.
      session: { resave: true },
      routes: (app) => {
        app.get('/write/:text', async (req, res) => {
          req.session.basket = [req.params.text];
          // Ends after others that began later.
          for (let turn = 0; turn < 20 * random('write'); turn += 1) await nextTurn();
          res.json({});
        });
      },
    });
    const { baseUrl, op } = flow;
    for (let round = 1; round <= rounds; round += 1) {
      const browser = new Browser();
      op.subject = `visitor ${round}`;
      op.claims = { sid: `session ${round}` };
      await browser.navigate(`${baseUrl}/login`);
      flow.clock.advance(4000);
      const actions = [
        () => browser.fetch(`${baseUrl}/write/${round}`),
        () => browser.fetch(`${baseUrl}/api/x`),
        () =>
          random('kind') < 0.5
            ? browser.navigate({ method: 'GET', url: `${baseUrl}/logout`, from: baseUrl })
            : postLogoutToken(flow),
      ];
      const shuffled = actions
        .map((action) => ({ action, at: random('order') }))
        .sort((a, b) => a.at - b.at);
      await Promise.all(
        shuffled.map(async ({ action }) => {
          for (let turn = 0; turn < 20 * random('start'); turn += 1) await nextTurn();
          return action();
        }),
      );
      const after = await browser.fetch(`${baseUrl}/api/x`);
      if (after.status !== 401) throw new Error(`round ${round}: signed in after the logout`);
      expect(json(await browser.navigate(baseUrl))['claims']).toBeNull();
    }
    // Sessions without a login may be left, as a write may come after all else; no login is.
    const left = await flow.loginKeys();
    expect(left.filter((key) => key.startsWith('oidc:'))).toEqual([]);
    const sessions = (flow.store as unknown as { sessions: Record<string, string> }).sessions;
    expect(left.filter((key) => JSON.parse(String(sessions[key])).oidc)).toEqual([]);
  }, 300_000);
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
