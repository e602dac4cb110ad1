import { afterEach, describe, expect, it } from '@jest/globals';
import type { Browser, Hop } from '../support/browser.ts';
import { startTickingClock } from '../support/clock.ts';
import { errorCode, type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

/**
 * Two tabs that both came back to a session which had ended, and whose logins are about to come back from the
 * OP: each login replaces the session of the one before.
 */
async function startTwoTabs(): Promise<[first: Hop, second: Hop]> {
  flow = await startFlow({ clock: startTickingClock(), oidc: { backchannelLogout: true } });
  await flow.signIn();
  await flow.oidc.endSessions({ sub: 'ada' });
  flow.clock.advance(1);
  return [
    await goUntil(tab('first'), 'oidc_response='),
    await goUntil(tab('second'), 'oidc_response='),
  ];
}

const tab = (name: string): string => `${flow.baseUrl}/private?tab=${name}`;

/** @returns the request that is next */
async function goUntil(start: string | Hop, part: string): Promise<Hop> {
  const { next } = await flow.browser.navigate(start, ({ url }) => url.includes(part));
  if (next === undefined) throw new Error(`there was no request with "${part}"`);
  return next;
}

/** The same browser, to which no answer comes any more. */
const asItIsNow = (): Promise<Browser> => flow.browser.copy(`${flow.baseUrl}/callback`);

describe('a tab that is on its way while another one signs in', () => {
  it('gets its page, where that does not know the session any more that the checks have seen', async () => {
    const [first, second] = await startTwoTabs();
    const page = await goUntil(first, '/private?');
    const before = await asItIsNow();
    await flow.browser.perform(second);
    const sent = await before.perform(page);
    expect(sent.next?.url).toContain('/callback?oidc_arrival=');
    const arrival = await flow.browser.navigate(sent.next as Hop);
    expect([errorCode(arrival), arrival.status]).toEqual([undefined, 200]);
    expect(arrival.url).toContain('/private?tab=first');
    expect(flow.op.count('/authorize')).toBe(3);
    expect(await flow.browser.cookieNames(flow.baseUrl)).toEqual(['connect.sid']);
  });

  it('gets its page, where a check does not find the session any more', async () => {
    const [first, second] = await startTwoTabs();
    const check = await goUntil(first, 'oidc_session_check=');
    const before = await asItIsNow();
    await flow.browser.perform(second);
    const late = await before.perform(check);
    expect([errorCode(late), late.status]).toEqual([undefined, 200]);
    // That the session of the other tab has come to the browser by now.
    expect(late.text).toContain('content="1;url=/callback?oidc_session_check=');
    const arrival = await flow.browser.navigate(late.next as Hop);
    expect([errorCode(arrival), arrival.url]).toEqual([undefined, tab('first')]);
    expect(arrival.history.map(({ status }) => status)).toEqual([303, 303, 303, 200]);
    expect(flow.op.count('/authorize')).toBe(3);
  });

  it('waits for it once, and not again where the session is still not there', async () => {
    const [first, second] = await startTwoTabs();
    const check = await goUntil(first, 'oidc_session_check=');
    const before = await asItIsNow();
    await flow.browser.perform(second);
    const { history, ...end } = await before.navigate(check);
    expect([errorCode(end), history.length]).toEqual(['ERR_OIDC_SESSION_LOST', 2]);
  });
});
