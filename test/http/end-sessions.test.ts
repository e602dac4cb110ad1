import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { subscribe } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

async function signIn(sub: string): Promise<Browser> {
  const browser = new Browser();
  flow.op.subject = sub;
  await flow.signIn(browser);
  return browser;
}

const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.fetch(`${flow.baseUrl}/api/x`)).status === 200;

describe('endSessions', () => {
  it('ends those of a subject, tells how many, and who by', async () => {
    flow = await startFlow({ oidc: { indexSessions: true } });
    const browsers = [await signIn('ada'), await signIn('eve'), await signIn('ada')];
    const told: unknown[] = [];
    const unsubscribe = subscribe('logout', ({ by, login }) => void told.push([by, login.sub]));
    expect(await flow.oidc.endSessions({ sub: 'ada' })).toBe(2);
    unsubscribe();
    expect(told).toEqual([
      ['application', 'ada'],
      ['application', 'ada'],
    ]);
    expect(await Promise.all(browsers.map(isSignedIn))).toEqual([false, true, false]);
    expect(await flow.oidc.endSessions({ sub: 'ada' })).toBe(0);
  });

  it('ends those of a session at the OP', async () => {
    flow = await startFlow({ oidc: { indexSessions: true } });
    flow.op.claims = { sid: 'one' };
    const browser = await signIn('ada');
    expect(await flow.oidc.endSessions({ sid: 'two' })).toBe(0);
    expect(await flow.oidc.endSessions({ sid: 'one' }, flow.store)).toBe(1);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('needs the index, and a store', async () => {
    flow = await startFlow();
    await expect(flow.oidc.endSessions({ sub: 'ada' })).rejects.toMatchObject({
      code: 'ERR_OIDC_OPTION_MISSING',
      option: 'indexSessions',
    });
    await flow.close();
    flow = await startFlow({ oidc: { indexSessions: true } });
    await expect(flow.oidc.endSessions({ sub: 'ada' })).rejects.toMatchObject({
      code: 'ERR_OIDC_SESSION_MISSING',
    });
    expect(await flow.oidc.endSessions({ sub: 'ada' }, new MemoryStore())).toBe(0);
  });
});
