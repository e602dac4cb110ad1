import { afterEach, describe, expect, it } from '@jest/globals';
import { Browser } from '../../support/browser.ts';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { expectUnknown, upTo } from '../../support/half-login.ts';

let flow: Flow;
afterEach(() => flow.close());

const attacks = [
  ['a form of the attacker', 'code id_token', '/callback'],
  ['the second hop of the attacker', 'code id_token', '/callback?oidc_response='],
  ['a link with the code of the attacker', 'code', '/callback?'],
] as const;

describe('RFC 9700 4.7 a login of the attacker in the browser of the victim', () => {
  it.each(attacks)('%s signs nobody in', async (_how, responseType, part) => {
    flow = await startFlow({ oidc: { responseType } });
    flow.op.subject = 'eve';
    const attacker = new Browser();
    const victim = new Browser();
    const callback = await upTo(flow, part, attacker);
    await expectUnknown(flow, callback, victim);
    expect(await victim.cookieNames(flow.baseUrl)).toEqual([expect.stringContaining('.tx.')]);
    // The browser that began it signs in.
    expect(await attacker.navigate(callback)).toMatchObject({ status: 200 });
  });

  it.each(attacks)('%s changes nothing for who is signed in', async (_how, responseType, part) => {
    flow = await startFlow({ oidc: { responseType } });
    await flow.signIn();
    flow.op.subject = 'eve';
    const callback = await upTo(flow, part, new Browser());
    await flow.browser.navigate({ ...callback, from: 'https://evil.example' });
    expect(json(await flow.browser.navigate(flow.baseUrl))).toMatchObject({
      claims: { sub: 'ada' },
    });
    expect(flow.op.count('/token')).toBe(1);
  });

  it.each(attacks)('%s disturbs no login under way', async (_how, responseType, part) => {
    flow = await startFlow({ oidc: { responseType } });
    const own = await upTo(flow, part);
    flow.op.subject = 'eve';
    const foreign = await upTo(flow, part, new Browser());
    await expectUnknown(flow, foreign);
    flow.op.subject = 'ada';
    expect(await flow.browser.navigate(own)).toMatchObject({ status: 200 });
  });
});
