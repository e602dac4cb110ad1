import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { Browser, Hop } from '../support/browser.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/** A login up to its second hop, which two browsers with the same cookies can make. */
async function untilSecondHop(setup: FlowSetup = {}): Promise<{ hop: Hop; double: Browser }> {
  flow = await startFlow(setup);
  const { next } = await flow.browser.navigate(
    `${flow.baseUrl}/private`,
    ({ url, method }) => method === 'GET' && url.startsWith(`${flow.baseUrl}/callback`),
  );
  if (next === undefined) throw new Error('the login has no second hop');
  return { hop: next, double: await flow.browser.copy(flow.baseUrl) };
}

describe('a second hop that is made twice', () => {
  const code = { oidc: { responseType: 'code' } } as const;

  it('at once gives both the same session, signed in', async () => {
    const { hop, double } = await untilSecondHop();
    const arrivals = await Promise.all([flow.browser.navigate(hop), double.navigate(hop)]);
    expect(arrivals.map(({ status }) => status)).toEqual([200, 200]);
    expect(arrivals.map((arrival) => json(arrival)['sub'])).toEqual(['ada', 'ada']);
    expect(await flow.storeKeys()).toHaveLength(2);
    expect(flow.op.count('/token')).toBe(1);
  });

  it('is remembered for a minute, and then meets the refusal of the OP', async () => {
    const { hop, double } = await untilSecondHop(code);
    const late = await double.copy(flow.baseUrl);
    expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200 });
    flow.clock.advance(60);
    expect(await double.navigate(hop)).toMatchObject({ status: 200 });
    expect(flow.op.count('/token')).toBe(1);
    flow.clock.advance(1);
    expect(errorCode(await late.navigate(hop))).toBe('ERR_OIDC_GRANT_REFUSED');
    expect(flow.op.count('/token')).toBe(2);
  });

  it('after the session has ended is refused', async () => {
    const { hop, double } = await untilSecondHop(code);
    await flow.browser.navigate(hop);
    await flow.browser.navigate(`${flow.baseUrl}/logout`);
    expect(errorCode(await double.navigate(hop))).toBe('ERR_OIDC_TRANSACTION_UNKNOWN');
    expect(await flow.storeKeys()).toEqual([]);
  });
});

describe.each(['lax', 'strict'] as const)('with a %s session cookie', (sameSite) => {
  const session = { cookie: { sameSite } };

  describe('an answer whose seal is too old', () => {
    it('leads who is signed in to the start page', async () => {
      const { hop } = await untilSecondHop({ session });
      await flow.browser.navigate(hop);
      flow.clock.advance(61);
      expect(await flow.browser.navigate(hop)).toMatchObject({
        status: 200,
        url: `${flow.baseUrl}/`,
      });
    });

    it('is refused to everybody else', async () => {
      const { hop } = await untilSecondHop({ session });
      flow.clock.advance(61);
      const refused = await flow.browser.navigate(hop);
      expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
    });

    it('is refused to a script at once: no page leads it anywhere', async () => {
      const { hop } = await untilSecondHop({ session });
      flow.clock.advance(61);
      const refused = await flow.browser.fetch(hop.url);
      expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_RESPONSE_SEAL']);
    });
  });

  it.each([
    ['code id_token', 'form_post'],
    ['code id_token', 'fragment'],
    ['code', 'query'],
  ] as const)(
    'an answer to "%s" by %s that comes once more leads who is signed in to the path it was for',
    async (responseType, responseMode) => {
      flow = await startFlow({ session, oidc: { responseType, responseMode } });
      const { next } = await flow.browser.navigate(`${flow.baseUrl}/private`, ({ url }) =>
        url.startsWith(`${flow.baseUrl}/callback`),
      );
      await flow.browser.navigate(next as Hop);
      const again = await flow.browser.navigate(next as Hop);
      expect(again).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
      expect([flow.op.count('/authorize'), flow.op.count('/token')]).toEqual([1, 1]);
      // And nobody else: another login begins.
      await flow.browser.jar.removeAllCookies();
      const pages: string[] = [];
      await flow.browser.navigate(next as Hop, ({ url }) => {
        pages.push(url);
        return url.startsWith(flow.op.issuer);
      });
      expect(pages.at(-1)).toContain('/authorize');
      const secondLook = pages.find((url) => url.includes('oidc_second_look'));
      expect(secondLook !== undefined).toBe(sameSite === 'strict');
      for (const secret of flow.op.handedOut) expect(secondLook ?? '').not.toContain(secret);
    },
  );
});

describe('the session of the first hop', () => {
  const post = (cookie: string): request.Test =>
    request(flow.baseUrl)
      .post('/callback')
      .set('Content-Type', 'application/x-www-form-urlencoded')
      .set('Cookie', cookie)
      .send('code=a&state=b');

  it('is not destroyed where the application destroys what is unset', async () => {
    flow = await startFlow({ session: { unset: 'destroy' } });
    await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
    const keys = await flow.storeKeys();
    await post(await flow.browser.jar.getCookieString(flow.baseUrl));
    expect(keys).toHaveLength(1);
    expect(await flow.storeKeys()).toEqual(keys);
  });

  it('is out of reach of an error handler, whatever it saves', async () => {
    const seen: unknown[] = [];
    flow = await startFlow({
      oidc: {
        onError: ({ req, res }) => {
          seen.push('session' in req, 'sessionID' in req);
          res.status(400).end();
        },
      },
    });
    await request(flow.baseUrl).post('/callback').send({ not: 'a form' });
    expect(seen).toEqual([false, false]);
  });
});
