import { expect, it } from '@jest/globals';
import type { SessionOptions } from 'express-session';
import { startClockBehind } from '../support/clock.ts';
import type { Flow, FlowSetup } from '../support/flow.ts';
import { describeStores, onlyLogin } from '../support/stores.ts';

const hours = 8 * 3600;
const month = 30 * 24 * 3600;

/** Sessions that last eight hours from the last request. */
const lasting: Partial<SessionOptions> = {
  cookie: { sameSite: 'lax', secure: 'auto', maxAge: hours * 1000 },
};

describeStores('the record of a session', ({ store, start }) => {
  const now = (): number => Date.now() / 1000;

  /** A login of a while ago that comes into the present; it and its session have ten minutes left. */
  const startAged = async (seconds: number, setup: FlowSetup, expiresIn = 3600): Promise<Flow> => {
    const flow = await start({ clock: startClockBehind(seconds), ...setup });
    flow.op.lie({ expiresIn });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    for (const key of await onlyLogin(store())) await store().moveEnd(key, now() + 600);
    flow.clock.advance(seconds);
    return flow;
  };

  /** Calls an API, and tells how many refreshes there were. */
  const call = async ({ browser, baseUrl, op }: Flow): Promise<number> => {
    expect(await browser.fetch(`${baseUrl}/api/x`)).toMatchObject({ status: 200 });
    return op.count('/token', 'refresh_token');
  };

  const ends = async (): Promise<{ session: number; record: number }> => {
    const [session, record] = await onlyLogin(store());
    return { session: await store().endOf(session), record: await store().endOf(record) };
  };

  /** The session has so long to live, and the record a minute more at the most. */
  const expectLeft = async (seconds: number): Promise<void> => {
    const { session, record } = await ends();
    // Stores count in whole seconds, and the test takes some.
    expect(session - now()).toBeLessThanOrEqual(seconds + 1);
    expect(session - now()).toBeGreaterThan(seconds - 300);
    expect(record - session).toBeGreaterThanOrEqual(0);
    expect(record - session).toBeLessThanOrEqual(62);
  };

  it('ends with it after a login', async () => {
    const flow = await start({ clock: startClockBehind(0), session: lasting });
    await flow.signIn();
    await expectLeft(hours);
  });

  it.each([
    { rolling: false, resave: false },
    { rolling: true, resave: false },
    { rolling: false, resave: true },
  ])('is prolonged with it by a request: %o', async (options) => {
    const flow = await startAged(60, { session: { ...lasting, ...options } });
    expect(await call(flow)).toBe(0);
    await expectLeft(hours);
  });

  it('is prolonged with it by a refresh, also within a minute after the last time', async () => {
    const flow = await startAged(40, { session: lasting }, 60);
    expect(await call(flow)).toBe(1);
    await expectLeft(hours);
  });

  it('follows it where the application makes it longer or shorter', async () => {
    const flow = await start({
      clock: startClockBehind(0),
      session: lasting,
      routes: (app) => {
        app.post('/last/:seconds', (req, res) => {
          req.session.cookie.maxAge = Number(req.params.seconds) * 1000;
          // A new end alone is nothing that express-session saves.
          req.session.basket = [req.params.seconds];
          res.end();
        });
      },
    });
    await flow.signIn();
    for (const seconds of [month, 900]) {
      await flow.browser.fetch(`${flow.baseUrl}/last/${seconds}`, { method: 'POST' });
      await expectLeft(seconds);
    }
  });

  it('lasts as long as the store lets it, beside a session without an end of its own', async () => {
    const flow = await startAged(60, {});
    expect(await call(flow)).toBe(0);
    const { session, record } = await ends();
    // A day, or for ever.
    expect(session - now()).toBeGreaterThan(24 * 3600 - 300);
    expect(record === session || Math.abs(record - session) <= 62).toBe(true);
  });
});
