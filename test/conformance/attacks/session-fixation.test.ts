import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { type Flow, json, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const sessionId = async (browser: Browser): Promise<string | undefined> =>
  (await browser.jar.getCookies(flow.baseUrl)).find(({ key }) => key === 'connect.sid')?.value;

describe.each(['lax', 'strict'] as const)('RFC 9700 4.7 a session of the attacker (%s)', (site) => {
  it('that the victim signs in with has another id afterward, and the old one is worthless', async () => {
    flow = await startFlow({ session: { cookie: { sameSite: site } } });
    const attacker = new Browser();
    await attacker.navigate(`${flow.baseUrl}/cart/tea`);
    const victim = await attacker.copy(flow.baseUrl);
    const before = await sessionId(attacker);
    expect(before).toBeDefined();
    expect(await flow.signIn(victim)).toMatchObject({ status: 200 });
    expect(await sessionId(victim)).not.toBe(before);
    expect(json(await attacker.navigate(flow.baseUrl))).toEqual({ claims: null, cart: [] });
    expect(await attacker.fetch(`${flow.baseUrl}/api/x`)).toMatchObject({ status: 401 });
    expect(await flow.storeKeys()).toHaveLength(2);
  });

  it('that is signed in as the attacker gives nothing to the victim', async () => {
    flow = await startFlow({ session: { cookie: { sameSite: site } } });
    flow.op.subject = 'eve';
    const attacker = new Browser();
    await flow.signIn(attacker);
    await attacker.navigate(`${flow.baseUrl}/cart/bait`);
    const victim = await attacker.copy(flow.baseUrl);
    flow.op.subject = 'ada';
    await victim.navigate(`${flow.baseUrl}/login`);
    expect(json(await victim.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
      cart: [],
    });
    expect(json(await attacker.navigate(flow.baseUrl))).toMatchObject({ claims: null });
  });

  it('with an id that the attacker made up is not taken', async () => {
    flow = await startFlow({ session: { cookie: { sameSite: site } } });
    const victim = new Browser();
    await victim.jar.setCookie('connect.sid=s%3Amade-up.AAAA; Path=/', flow.baseUrl);
    expect(await flow.signIn(victim)).toMatchObject({ status: 200 });
    expect(await flow.storeKeys()).not.toContain('made-up');
  });
});
