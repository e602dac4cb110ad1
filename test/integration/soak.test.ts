import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ErrorRequestHandler, Express } from 'express';
import { Pool } from 'undici';
import type { AnswerLie } from '../../lib/testing/lies.ts';
import { Browser } from '../support/browser.ts';
import { FailingStore } from '../support/failing-store.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { createRandom } from '../support/random.ts';

const visitorCount = 1000;
const roundCount = 10;
/** Visitors whose requests are under way at the same time. */
const atOnce = 25;
/** Share of the refresh requests at which the OP fails, and of the store's operations. */
const [opFails, storeFails] = [0.25, 0.03];
/** Tries after which a visitor counts as locked out: at these odds nobody needs half as many. */
const maxTries = 60;

/** Set `SOAK_SEED` to the number that a failed run has named, and the same things fail again. */
const seed = Number(process.env['SOAK_SEED'] ?? randomInt(2 ** 31));

/** An OP that is overloaded, broken or gone before it has read the grant. */
const outages: [name: string, AnswerLie][] = [
  ['503', { status: 503, body: 'busy' }],
  ['429', { status: 429, body: '{"error":"slow_down"}' }],
  ['500', { status: 500, body: '<h1>garbage' }],
  ['500 with invalid_grant', { status: 500, body: '{"error":"invalid_grant"}' }],
  ['closed connection', { answer: (res) => res.destroy() }],
];

let flow: Flow;
afterEach(() => flow.close());

describe('1,000 sessions', () => {
  let pool: Pool;
  afterEach(() => pool.destroy());

  interface Visitor {
    readonly number: number;
    readonly name: string;
    readonly cookie: string;
    /** The access token last seen. */
    token: string;
  }

  /** One after the other, so that the seed decides what befalls each. */
  async function signIn(): Promise<Visitor[]> {
    const visitors: Visitor[] = [];
    for (let number = 1; number <= visitorCount; number += 1) {
      const name = `visitor ${number}`;
      flow.op.subject = name;
      const browser = new Browser();
      await browser.navigate(`${flow.baseUrl}/login`, ({ url }) => url === `${flow.baseUrl}/`);
      const cookie = await browser.jar.getCookieString(flow.baseUrl);
      visitors.push({ number, name, cookie, token: flow.op.accessTokens.back.at(-1) ?? '' });
    }
    return visitors;
  }

  /** From now on OP and store fail at random. Gives how often they did, by the kind of failure. */
  function letFail(store: FailingStore, visitors: readonly Visitor[]): Map<string, number> {
    const random = createRandom(seed);
    const failures = new Map<string, number>();
    const count = (kind: string): void => {
      failures.set(kind, (failures.get(kind) ?? 0) + 1);
    };
    flow.op.lie({
      refreshOutage(name) {
        if (random(`OP ${name}`) >= opFails) return undefined;
        const chosen = Math.floor(random(`OP ${name}`) * outages.length);
        const [kind, lie] = outages[chosen] as (typeof outages)[number];
        count(kind);
        return lie;
      },
    });
    const names = new Map(visitors.map(({ name, cookie }) => [sessionId(cookie), name]));
    store.failsAt = (operation, sid) => {
      const name = names.get(sid.replace('oidc:', ''));
      const fails = random(`${operation} ${name}`) < storeFails;
      if (fails) count(operation);
      return fails;
    };
    return failures;
  }

  function letServe(store: FailingStore): void {
    flow.op.honest();
    store.failsAt = () => false;
  }

  async function forEach<T>(items: T[], visit: (item: T) => Promise<void>): Promise<void> {
    const queue = items.values();
    const walk = async (): Promise<void> => {
      for (const item of queue) await visit(item);
    };
    await Promise.all(Array.from({ length: atOnce }, walk));
  }

  /** The text of an answer; `undefined` where the visitor is told to come again. Nothing else may happen. */
  async function get({ name, cookie }: Visitor, path: string): Promise<string | undefined> {
    const headers = { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
    const text = await body.text();
    if (statusCode === 503) return undefined;
    if (statusCode !== 200) throw new Error(`${name} got ${statusCode} at ${path}: ${text}`);
    return text;
  }

  /** The access token of a guarded request, which has to be the visitor's own, and valid. */
  async function getToken(visitor: Visitor): Promise<string | undefined> {
    const text = await get(visitor, '/private');
    if (text === undefined) return undefined;
    const { sub, authorization } = JSON.parse(text);
    const token = String(authorization).replace('Bearer ', '');
    const owner = flow.op.ownerOf(token);
    if (sub === visitor.name && owner === visitor.name) return token;
    throw new Error(`${visitor.name} was served as ${sub}, with a token of ${owner ?? 'nobody'}`);
  }

  async function getTokenAtLast(visitor: Visitor): Promise<string> {
    for (let tries = 1; tries <= maxTries; tries += 1) {
      const token = await getToken(visitor);
      if (token !== undefined) return token;
    }
    throw new Error(`${visitor.name} is locked out`);
  }

  /** Each access token nears its end, or passes it, and is renewed once. */
  async function renewAll(visitors: Visitor[], round: number): Promise<void> {
    flow.clock.advance(3545);
    const unrenewed: Visitor[] = [];
    await forEach(visitors, async (visitor) => {
      // A third of the sessions is saved by another request at the same time.
      const isWriter = (visitor.number + round) % 3 === 0;
      const saving = isWriter ? get(visitor, `/note?text=${round}`) : undefined;
      const asking = [getToken(visitor), getToken(visitor)];
      const [tokens] = await Promise.all([Promise.all(asking), saving]);
      const renewed = tokens.find((token) => token !== undefined && token !== visitor.token);
      if (renewed === undefined) unrenewed.push(visitor);
      else visitor.token = renewed;
    });
    // What the failures have left has expired after this.
    flow.clock.advance(60);
    await forEach(unrenewed, async (visitor) => {
      const tokens = await Promise.all([getTokenAtLast(visitor), getTokenAtLast(visitor)]);
      expect(new Set(tokens).size).toBe(1);
      visitor.token = tokens[0] as string;
    });
  }

  it('survive 10,000 refreshes and random failures: no grant revoked, no session lost', async () => {
    const store = new FailingStore();
    flow = await startFlow({ store, routes: addRoutes });
    pool = new Pool(flow.baseUrl, { connections: 4 * atOnce });
    const visitors = await signIn();
    const failures = letFail(store, visitors);
    try {
      for (let round = 1; round <= roundCount; round += 1) {
        await renewAll(visitors, round);
        expect(flow.op.refreshes).toEqual({ granted: round * visitorCount, reused: 0 });
        // What it remembers is not needed.
        flow.op.requests = [];
      }
      letServe(store);
      flow.clock.advance(4000);
      await forEach(visitors, async (visitor) => {
        expect(await getToken(visitor)).toEqual(expect.any(String));
      });
    } catch (error) {
      throw new Error(`failed with SOAK_SEED=${seed}`, { cause: error });
    }
    expect(flow.op.refreshes).toEqual({ granted: (roundCount + 1) * visitorCount, reused: 0 });
    expect(flow.op.revokedGrants).toBe(0);
    const kinds = [...outages.map(([kind]) => kind), 'read', 'write'];
    expect(kinds.filter((kind) => (failures.get(kind) ?? 0) < 100)).toEqual([]);
  }, 600_000);
});

/** A page that writes to the session, and errors of the store as a careful application answers them. */
function addRoutes(app: Express): void {
  app.get('/note', (req, res) => {
    req.session.basket = [String(req.query['text'])];
    res.json({});
  });
  const answerStoreError: ErrorRequestHandler = (error, _req, res, _next) => {
    // express-session tells of a save that failed when the answer is on its way.
    if (!res.headersSent) res.status(503).json({ error: String(error) });
  };
  app.use(answerStoreError);
}

/** In express-session's cookie the id stands in clear. */
function sessionId(cookie: string): string | undefined {
  return /=s%3A([^.]+)\./.exec(cookie)?.[1];
}

describe('an answer that is lost when the OP has spent the refresh token', () => {
  it.each<[string, AnswerLie, string]>([
    [
      'with its connection',
      { answer: (res) => res.destroy() },
      '503 ERR_OIDC_PROVIDER_UNREACHABLE',
    ],
    ['as garbage', { body: '<h1>garbage' }, '502 ERR_OIDC_PROVIDER_RESPONSE'],
  ])('%s, ends the login with a 401, and the next login works', async (_how, refresh, failure) => {
    flow = await startFlow();
    const { op, browser, clock, baseUrl } = flow;
    const ask = (): ReturnType<Browser['fetch']> => browser.fetch(`${baseUrl}/api/x`);
    await flow.signIn();
    clock.advance(4000);
    op.lie({ refresh });
    const lost = await ask();
    expect(`${lost.status} ${errorCode(lost)}`).toBe(failure);
    op.honest();

    // The record holds the spent token still, and nobody can know: this is what zero leeway means.
    const ended = await Promise.all(Array.from({ length: 20 }, ask));
    expect(ended.filter(({ status }) => status === 401)).toHaveLength(20);
    expect(ended.map(errorCode)).toContain('ERR_OIDC_LOGIN_ENDED');
    expect(op.refreshes).toEqual({ granted: 1, reused: 1 });
    expect(op.revokedGrants).toBe(1);
    expect(await flow.storeKeys()).toEqual([]);

    expect(await browser.navigate(`${baseUrl}/private`)).toMatchObject({
      status: 200,
      url: `${baseUrl}/private`,
    });
    clock.advance(4000);
    const renewed = await ask();
    expect(json(renewed)['authorization']).toBe(`Bearer ${op.accessTokens.back.at(-1)}`);
    expect(op.refreshes).toEqual({ granted: 2, reused: 1 });
  });
});
