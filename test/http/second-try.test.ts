import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import type { Arrival, Hop } from '../support/browser.ts';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

const isTransaction = (cookie: string): boolean => cookie.includes('.tx.');

/** A login at the point where the browser comes back, with its cookies of logins lost. */
async function comeBackWithout(path = '/private'): Promise<Hop> {
  const { next } = await flow.browser.navigate(`${flow.baseUrl}${path}`, ({ url }) =>
    url.startsWith(`${flow.baseUrl}/callback`),
  );
  const others = (await flow.browser.jar.getCookies(flow.baseUrl)).filter(
    ({ key }) => !isTransaction(key),
  );
  await flow.browser.jar.removeAllCookies();
  for (const cookie of others) await flow.browser.jar.setCookie(String(cookie), flow.baseUrl);
  if (next === undefined) throw new Error('no callback');
  return next;
}

const ways = [
  ['code id_token', 'form_post'],
  ['code id_token', 'fragment'],
  ['code', 'query'],
] as const;

describe.each(ways)('a login to "%s" by %s', (responseType, responseMode) => {
  it.each(['lax', 'strict'] as const)(
    'whose cookie got lost begins again by itself, and ends signed in, session cookie %s',
    async (sameSite) => {
      flow = await startFlow({
        oidc: { responseType, responseMode },
        session: { cookie: { sameSite } },
      });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const hop = await comeBackWithout();
      let arrival: Arrival | undefined;
      const codes = await publishedErrors('refusal', async () => {
        arrival = await flow.browser.navigate(hop);
      });
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/` });
      expect(json(arrival as Arrival)).toMatchObject({ claims: { sub: 'ada' }, cart: ['tea'] });
      expect(codes).toEqual(['ERR_OIDC_TRANSACTION_UNKNOWN']);
      expect(flow.op.count('/authorize')).toBe(2);
      // The code of the answer without a cookie was not used.
      expect(flow.op.count('/token')).toBe(1);
    },
  );

  it.each([
    ['no cookie at all', () => true, 'no cookie at all'],
    ['not this cookie', isTransaction, 'sent other cookies'],
  ])(
    'in a browser that keeps %s stops after one more try, and says why',
    async (_what, refuses, why) => {
      flow = await startFlow({ oidc: { responseType, responseMode } });
      flow.browser.refuses = refuses;
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const arrival = await flow.signIn();
      expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_UNKNOWN']);
      expect(flow.op.count('/authorize')).toBe(2);
      expect(flow.op.count('/token')).toBe(0);
      expect(arrival.text).toContain('Please allow cookies for this site');
      expect(arrival.text).toMatch(/missing cookie <code>oidc\.[\w-]{6}\.tx\.[\w-]{16}<\/code>/);
      expect(arrival.text).toContain(why);
      // Whoever loads it again sees the same, and nothing begins.
      const again = await flow.browser.navigate(arrival.url);
      expect(errorCode(again)).toBe('ERR_OIDC_TRANSACTION_UNKNOWN');
      expect(flow.op.count('/authorize')).toBe(2);
    },
  );

  it('at an OP that does not return the state as it was sent stops after one more try', async () => {
    flow = await startFlow({ oidc: { responseType, responseMode } });
    flow.op.lie({
      response: (parameters) =>
        parameters.map(([name, value]) => [name, name === 'state' ? 'x'.repeat(43) : value]),
      frontIdToken: { claims: { s_hash: undefined } },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_TRANSACTION_UNKNOWN');
    expect(flow.op.count('/authorize')).toBe(2);
  });
});

describe('a second try', () => {
  it('is begun by a page of its own, as the chain of redirects may be held to a policy', async () => {
    flow = await startFlow();
    const hop = await comeBackWithout();
    const { next, ...page } = await flow.browser.navigate(hop, ({ url }) =>
      url.startsWith(flow.op.issuer),
    );
    expect([page.status, next?.method]).toEqual([200, 'GET']);
    expect(page.text).toContain('http-equiv="refresh"');
  });

  it('by POST is a form', async () => {
    flow = await startFlow({ oidc: { authorizationRequestMethod: 'post' } });
    const hop = await comeBackWithout();
    expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200 });
    expect(flow.op.requests.filter(({ path }) => path === '/authorize')).toMatchObject([
      { method: 'POST' },
      { method: 'POST' },
    ]);
  });

  it('belongs to Passport, too', async () => {
    flow = await startFlow({
      before: (app) => void app.use(passport.initialize(), passport.session()),
      router: (app, oidc) => {
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user: Express.User, done) => done(null, user));
        passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
        app.get('/login', passport.authenticate('oidc'));
        app.post('/callback', passport.authenticate('oidc'));
        app.get('/callback', passport.authenticate('oidc', { successReturnToOrRedirect: '/' }));
      },
    });
    const arrival = await flow.browser.navigate(await comeBackWithout('/login'));
    expect(json(arrival)).toMatchObject({ claims: { sub: 'ada' } });
  });

  it('is there for the next login again', async () => {
    flow = await startFlow();
    for (const count of [2, 4]) {
      await flow.browser.navigate(await comeBackWithout('/login'));
      expect(flow.op.count('/authorize')).toBe(count);
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
    }
  });

  it.each([
    ['an error of the OP', { error: 'access_denied' }],
    ['an answer without a code', { iss: 'https://op.example' }],
  ])('is not made for %s', async (_what, answer) => {
    flow = await startFlow();
    const query = new URLSearchParams({ ...answer, state: 'x'.repeat(43) });
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/callback?${query}`);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_UNKNOWN']);
    expect(flow.op.count('/authorize')).toBe(0);
  });

  it('is not made for what is no navigation', async () => {
    flow = await startFlow();
    const url = `${flow.baseUrl}/callback?code=a&state=b`;
    const answer = await flow.browser.fetch(url);
    expect([answer.status, errorCode(answer)]).toEqual([400, 'ERR_OIDC_TRANSACTION_UNKNOWN']);
    expect(answer.setCookies).toEqual([]);
    // The same by a navigation would be.
    const { next } = await flow.browser.navigate(url, () => true);
    expect(next?.url).toContain('/authorize');
  });

  it('is not made for a state with a note that cannot be read', async () => {
    flow = await startFlow();
    const arrival = await flow.browser.navigate(`${flow.baseUrl}/callback?code=a&state=b.forged`);
    expect(errorCode(arrival)).toBe('ERR_OIDC_TRANSACTION_UNKNOWN');
    expect(flow.op.count('/authorize')).toBe(0);
  });

  it('does not go on for ever between two processes with different secrets', async () => {
    const code = { responseType: 'code' } as const;
    flow = await startFlow({ oidc: code });
    const secret = 'another secret for tests, which opens nothing';
    const other = await startFlow({
      op: flow.op,
      store: flow.store,
      oidc: { ...code, secret, baseUrl: flow.baseUrl },
    });
    const atCallback = ({ url }: Hop): boolean => url.startsWith(`${flow.baseUrl}/callback`);
    const { next } = await flow.browser.navigate(`${flow.baseUrl}/login`, atCallback);
    if (next === undefined) throw new Error('no callback');
    // The first callback reaches the other process, the second one this.
    const toOther = { ...next, url: next.url.replace(flow.baseUrl, other.baseUrl) };
    const arrival = await flow.browser.navigate(toOther);
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_TRANSACTION_UNKNOWN']);
    expect(arrival.text).toContain('every process needs the same one');
    expect(flow.op.count('/authorize')).toBe(2);
    await other.close();
  });
});
