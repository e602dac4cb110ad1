import { afterEach, describe, expect, it } from '@jest/globals';
import type { CarryOver } from 'passport-oidc-hybrid';
import { type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

declare module 'express-session' {
  interface SessionData {
    color?: string;
  }
}

let flow: Flow;
afterEach(() => flow.close());

/** An application whose visitors have a basket and a favorite color. */
async function start(carryOver: CarryOver | undefined, setup: FlowSetup = {}): Promise<void> {
  flow = await startFlow({
    ...setup,
    oidc: { carryOver, ...setup.oidc },
    routes: (app) => {
      app.get('/color', (req, res) => {
        req.session.color = 'red';
        res.json({});
      });
      app.get('/session', (req, res) => {
        const { cookie: _cookie, oidc: _mark, ...rest } = { oidc: undefined, ...req.session };
        res.json(rest);
      });
    },
  });
}

async function fill(): Promise<void> {
  await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
  await flow.browser.navigate(`${flow.baseUrl}/color`);
}

const sessionNow = async (): Promise<unknown> =>
  json(await flow.browser.navigate(`${flow.baseUrl}/session`));

describe.each(['lax', 'strict'] as const)('with a %s session cookie, a login', (sameSite) => {
  const session = { cookie: { sameSite } };

  it.each<[string, CarryOver | undefined, object]>([
    ['everything, unless told otherwise', undefined, { basket: ['tea'], color: 'red' }],
    ['the keys that are listed', ['basket', 'missing'], { basket: ['tea'] }],
    ['nothing, by an empty list', [], {}],
    [
      'what a function returns',
      ({ session: { basket }, claims }) => ({ basket, color: claims.sub }),
      { basket: ['tea'], color: 'ada' },
    ],
  ])('carries over %s', async (_what, carryOver, expected) => {
    await start(carryOver, { session });
    await fill();
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(await sessionNow()).toEqual(expected);
  });
});

describe('a function for what is carried over', () => {
  it('sees the data of the application, and nothing else of the session', async () => {
    const seen: unknown[] = [];
    await start(({ session }) => {
      seen.push(Object.keys(session));
      return session;
    });
    await fill();
    await flow.signIn();
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(seen).toEqual([
      ['basket', 'color'],
      ['basket', 'color'],
    ]);
  });

  it("is not asked about another user's session", async () => {
    const asked: unknown[] = [];
    await start(({ session, claims }) => {
      asked.push(claims.sub);
      return session;
    });
    await flow.signIn();
    await fill();
    flow.op.subject = 'eve';
    await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect(await sessionNow()).toEqual({});
    expect(asked).toEqual(['ada']);
  });

  it('cannot put a login, a user of Passport or a cookie into the session', async () => {
    await start(() => ({
      oidc: { id: 'forged', user: 'x', session: 'x' },
      passport: { user: 'root' },
      cookie: { originalMaxAge: 1 },
      basket: ['tea'],
    }));
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(await sessionNow()).toEqual({ basket: ['tea'] });
    expect(await flow.browser.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 200 });
  });

  it('that throws leaves the visitor as they were, and reaches the application', async () => {
    const failure = new Error('no such basket');
    await start(() => {
      throw failure;
    });
    await fill();
    const before = await flow.storeKeys();
    expect(await flow.signIn()).toMatchObject({ status: 500 });
    expect(flow.errors).toEqual([failure]);
    expect(await flow.storeKeys()).toEqual(before);
    expect(await sessionNow()).toEqual({ basket: ['tea'], color: 'red' });
  });
});
