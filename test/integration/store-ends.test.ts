import { expect, it } from '@jest/globals';
import type { Express } from 'express';
import type { Store } from 'express-session';
import type { Lock } from 'passport-oidc-hybrid';
import { eventually } from '../support/eventually.ts';
import type { Flow } from '../support/flow.ts';
import { createGate, type Gate } from '../support/gate.ts';
import { describeStores, onlyLogin } from '../support/stores.ts';

/** What an application does with sessions by itself; the second needs `unset: 'destroy'`. */
function sessionRoutes(app: Express): void {
  app.post('/destroy', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.end()));
  });
  app.post('/unset', (req, res) => {
    Object.assign(req, { session: null });
    res.end();
  });
  app.post('/regenerate', (req, res, next) => {
    req.session.regenerate((error) => (error ? next(error) : res.end()));
  });
}

const post = ({ browser, baseUrl }: Flow, path: string): Promise<unknown> =>
  browser.fetch(`${baseUrl}${path}`, { method: 'POST' });
const open = ({ browser, baseUrl }: Flow, path: string): Promise<unknown> =>
  browser.navigate({ method: 'GET', url: `${baseUrl}${path}`, from: baseUrl });

interface End {
  readonly name: string;
  readonly end: (flow: Flow) => Promise<unknown>;
  /** What the store holds afterward: a new session of nobody, or another login. */
  readonly left: 'nothing' | 'session' | 'login';
}

const ends: readonly End[] = [
  { name: 'the application destroys', end: (flow) => post(flow, '/destroy'), left: 'nothing' },
  { name: 'the application unsets', end: (flow) => post(flow, '/unset'), left: 'nothing' },
  {
    name: 'the application regenerates',
    end: (flow) => post(flow, '/regenerate'),
    left: 'session',
  },
  { name: 'a logout ends', end: (flow) => open(flow, '/logout'), left: 'nothing' },
  { name: 'another login replaces', end: (flow) => open(flow, '/login'), left: 'login' },
];

describeStores('a session', ({ store, start }) => {
  /** Nothing of the login is left, and nobody is signed in but by a login that came after it. */
  /** Of sessions and logins: not what is remembered of an end for a while. */
  const keys = async (): Promise<string[]> =>
    (await store().keys()).filter((key) => !key.includes('oidc:ended:'));

  const expectEnded = async (
    flow: Flow,
    before: readonly string[],
    left: End['left'],
  ): Promise<void> => {
    const after = await keys();
    expect(after.filter((key) => before.includes(key))).toEqual([]);
    if (left === 'login') await onlyLogin(store());
    else expect(after).toHaveLength(left === 'session' ? 1 : 0);
    const answer = await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    expect(answer.status).toBe(left === 'login' ? 200 : 401);
  };

  it.each(ends)('that $name takes its record along', async ({ end, left }) => {
    const flow = await start({ session: { unset: 'destroy' }, routes: sessionRoutes });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const before = await onlyLogin(store());
    await end(flow);
    await expectEnded(flow, before, left);
  });

  it('that is ended from outside, by its subject, takes its record along', async () => {
    const flow = await start({ oidc: { indexSessions: true } });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    const before = await keys();
    expect(before.filter((key) => key.startsWith('oidc:sub:'))).toHaveLength(1);
    expect(await flow.oidc.endSessions({ sub: 'somebody else' })).toBe(0);
    expect(new Set(await keys())).toEqual(new Set(before));
    expect(await flow.oidc.endSessions({ sub: flow.op.subject })).toBe(1);
    await expectEnded(flow, before, 'nothing');
  });

  it.each(ends)(
    'that $name is taken off the list by which it is found from outside',
    async ({ end, left }) => {
      const flow = await start({
        session: { unset: 'destroy' },
        routes: sessionRoutes,
        oidc: { indexSessions: true },
      });
      await flow.signIn();
      await end(flow);
      expect(await flow.oidc.endSessions({ sub: flow.op.subject })).toBe(left === 'login' ? 1 : 0);
      expect(await keys()).toHaveLength(left === 'session' ? 1 : 0);
    },
  );

  it.each(ends)(
    'that $name is not brought back by a request that saves it late',
    async ({ end, left }) => {
      const gate = createGate();
      const flow = await start({
        session: { resave: true, unset: 'destroy' },
        routes(app) {
          sessionRoutes(app);
          app.get('/slow', async (req, res) => {
            await gate.wait();
            req.session.basket = ['tea'];
            res.end();
          });
        },
      });
      await flow.signIn();
      const before = await onlyLogin(store());
      const slow = flow.browser.fetch(`${flow.baseUrl}/slow`);
      await gate.reached;
      await end(flow);
      gate.open();
      expect(await slow).toMatchObject({ status: 200 });
      await expectEnded(flow, before, left);
    },
  );

  // Not for another login: that would be held at the token endpoint as well.
  const withoutLogin = ends.filter(({ left }) => left !== 'login');

  it.each(withoutLogin)(
    'that $name while a refresh is under way waits for nothing, and gets nothing',
    async ({ end, left }) => {
      const flow = await start({ session: { unset: 'destroy' }, routes: sessionRoutes });
      await flow.signIn();
      const before = await onlyLogin(store());
      flow.clock.advance(4000);
      const held = flow.op.hold('/token');
      const refreshing = flow.browser.fetch(`${flow.baseUrl}/api/x`);
      await held.arrived;
      await end(flow);
      held.release();
      expect(await refreshing).toMatchObject({ status: 401 });
      expect(flow.op.count('/token', 'refresh_token')).toBe(1);
      await expectEnded(flow, before, left);
    },
  );

  it.each(withoutLogin)(
    'that $name just when a refresh writes its answer is not brought back by it',
    async ({ end, left }) => {
      const { lock, open: openStore } = store();
      const gated = gateNextRead(openStore());
      const free = createGate();
      let isTaken = false;
      // Whoever waits for the lock gets it as late as can be.
      const lateLock: Lock = {
        async acquire(key, leaseSeconds, waitSeconds) {
          if (isTaken && waitSeconds > 0) await free.wait();
          return lock.acquire(key, leaseSeconds, waitSeconds);
        },
      };
      const flow = await start({
        store: gated.store,
        session: { unset: 'destroy', resave: true },
        routes: sessionRoutes,
        oidc: { lock: lateLock },
      });
      await flow.signIn();
      const before = await onlyLogin(store());
      flow.clock.advance(4000);
      const held = flow.op.hold('/token');
      const refreshing = flow.browser.fetch(`${flow.baseUrl}/api/x`);
      await held.arrived;
      isTaken = true;
      const reading = gated.next();
      held.release();
      await reading.reached;
      await end(flow);
      reading.open();
      await refreshing;
      // The refresh has found the record, and has written it again.
      const record = before.filter((key) => key.includes('oidc:'));
      expect(record).toHaveLength(1);
      expect(await keys()).toEqual(expect.arrayContaining(record));
      free.open();
      await eventually(async () => {
        const found = await keys();
        return !found.some((key) => before.includes(key));
      });
      await expectEnded(flow, before, left);
    },
  );
});

/** A store that can be made to hold back what it has read. */
function gateNextRead(store: Store): { store: Store; next(): Gate } {
  let gate: Gate | undefined;
  const read = store.get.bind(store);
  store.get = (sid, done) => {
    const held = gate;
    gate = undefined;
    read(sid, (...found) => {
      if (held === undefined) done(...found);
      else held.wait().then(() => done(...found), done);
    });
  };
  return {
    store,
    next() {
      gate = createGate();
      return gate;
    },
  };
}
