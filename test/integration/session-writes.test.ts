import { expect, it } from '@jest/globals';
import { type Flow, json } from '../support/flow.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { describeStores, type StoreTests } from '../support/stores.ts';

let flow: Flow;
let gate: Gate;

/** Signed in, at an application with slow routes: these have read the session when they come to the gate. */
async function signIn(start: StoreTests['start'], resave: boolean): Promise<void> {
  gate = createGate();
  flow = await start({
    session: { resave },
    routes(app, oidc) {
      app.get('/reads-slowly', async (_req, res) => {
        await gate.wait();
        res.json({});
      });
      app.get('/writes-slowly', async (req, res) => {
        await gate.wait();
        req.session.basket = ['tea'];
        res.json({});
      });
      app.get('/calls-slowly', oidc.requireAuth(), async (req, res) => {
        await gate.wait();
        req.session.basket = ['tea'];
        res.json({ authorization: `Bearer ${(await req.oidc?.accessToken())?.value}` });
      });
    },
  });
  await flow.signIn();
}

const visit = (path: string): ReturnType<Flow['browser']['fetch']> =>
  flow.browser.fetch(`${flow.baseUrl}${path}`);

/** The bearer token of a guarded request that has to succeed. */
async function bearer(path = '/api/x'): Promise<unknown> {
  const answer = await visit(path);
  expect(answer.status).toBe(200);
  return json(answer)['authorization'];
}

const newestBearer = (): string => `Bearer ${flow.op.accessTokens.back.at(-1)}`;

/** The present token serves, what the application wrote is there, and the next refresh works. */
async function expectWhole(cart: string[]): Promise<void> {
  const { granted } = flow.op.refreshes;
  expect(await bearer()).toBe(newestBearer());
  expect(json(await visit('/'))).toMatchObject({ claims: { sub: 'ada' }, cart });
  expect(flow.op.refreshes).toEqual({ granted, reused: 0 });
  flow.clock.advance(4000);
  expect(await bearer()).toBe(newestBearer());
  expect(flow.op.refreshes).toEqual({ granted: granted + 1, reused: 0 });
  expect(json(await visit('/'))).toMatchObject({ claims: { sub: 'ada' }, cart });
}

describeStores('a session', ({ start }) => {
  it.each([
    ['changed', false, '/writes-slowly', ['tea']],
    ['changed, with resave', true, '/writes-slowly', ['tea']],
    ['unchanged, with resave', true, '/reads-slowly', []],
  ])(
    'that was read before a refresh and is saved after it (%s) brings no old token back',
    async (_how, resave, path, cart) => {
      await signIn(start, resave);
      const slow = visit(path);
      await gate.reached;
      flow.clock.advance(4000);
      const renewed = await bearer();
      gate.open();
      expect(await slow).toMatchObject({ status: 200 });
      expect(renewed).toBe(newestBearer());
      expect(flow.op.refreshes).toEqual({ granted: 1, reused: 0 });
      await expectWhole(cart);
    },
  );

  it.each([false, true])(
    'that was read before two refreshes gives the newest token, and spends nothing (resave: %s)',
    async (resave) => {
      await signIn(start, resave);
      const slow = bearer('/calls-slowly');
      await gate.reached;
      for (let round = 1; round <= 2; round += 1) {
        flow.clock.advance(4000);
        await bearer();
      }
      gate.open();
      expect(await slow).toBe(newestBearer());
      expect(flow.op.refreshes).toEqual({ granted: 2, reused: 0 });
      await expectWhole(['tea']);
    },
  );

  it.each([
    ['before', 'during'],
    ['during', 'during'],
    ['during', 'after'],
    ['before', 'after'],
  ])(
    'that is read %s and written %s a refresh keeps what was written and the new token',
    async (read, written) => {
      await signIn(start, false);
      const writes: Promise<unknown>[] = [];
      const beginWrite = async (): Promise<void> => {
        writes.push(visit('/writes-slowly'));
        await gate.reached;
      };
      const endWrite = async (): Promise<void> => {
        gate.open();
        expect(await Promise.all(writes)).toMatchObject([{ status: 200 }]);
      };
      if (read === 'before') await beginWrite();
      flow.clock.advance(4000);
      const held = flow.op.hold('/token');
      const refreshing = bearer();
      await held.arrived;
      if (read === 'during') await beginWrite();
      if (written === 'during') await endWrite();
      held.release();
      const renewed = await refreshing;
      if (written === 'after') await endWrite();
      expect(renewed).toBe(newestBearer());
      expect(flow.op.refreshes).toEqual({ granted: 1, reused: 0 });
      await expectWhole(['tea']);
    },
  );
});
