import { expect, it } from '@jest/globals';
import type { Tab } from '../../support/tab.ts';
import type { Combination } from './combination.ts';

/** What an OP says that may not ask, and would have to. */
const mustAsk = [
  ['login_required', 'login'],
  ['interaction_required', 'login'],
  ['consent_required', 'consent'],
] as const;

/** Logins that are begun otherwise, or once more: silently, by a demand, after an error. */
export function describeRenewedLogins(combination: Combination): void {
  it('made silently show the page to everybody, and sign in who is known', async () => {
    const { tab, site } = combination;
    await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
    site.op.lie({ mustAsk: { error: 'login_required', prompts: [] } });
    await tab.go(`${site.origin}/news`);
    expect(await shown(tab)).toEqual(['News for everybody', 'tea']);
    await tab.go(`${site.origin}/news`);
    expect(site.op.count('/authorize')).toBe(1);
    await tab.deleteCookies(/\.silent$/);
    site.op.lie({ mustAsk: undefined });
    await tab.go(`${site.origin}/news?page=2`);
    expect(await shown(tab)).toEqual(['News for ada', 'tea']);
    expect(site.op.lastRequest('/authorize').parameters).toMatchObject({ prompt: 'none' });
  });

  it('made stronger, as an API or a page demands it, end where they began', async () => {
    const { tab, site } = combination;
    await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
    await tab.go(`${site.origin}/private`);
    for (const [path, title, demands] of [
      ['/transfer?to=bob', 'Transfer 200 of ada', { acr_values: 'mfa', max_age: '60' }],
      ['/vault?no=7', 'Vault by hwk', { acr_values: 'hwk', max_age: '60' }],
    ] as const) {
      await tab.go(`${site.origin}${path}`, { url: `${site.origin}${path}`, title });
      expect(await shown(tab)).toEqual([title, 'tea']);
      expect(site.op.lastRequest('/authorize').parameters).toMatchObject(demands);
    }
    // Who is as strong as that is asked no more.
    await tab.go(`${site.origin}/vault`);
    expect(await tab.text('h1')).toBe('Vault by hwk');
    expect(site.op.count('/authorize')).toBe(3);
    const cookies = await tab.cookies(site.origin);
    expect(cookies.map(({ name }) => name)).toEqual([site.sessionCookie]);
  });

  it('that the OP may not complete without a question are made once more, so that it may ask', async () => {
    const { tab, site } = combination;
    for (const [error, prompt] of mustAsk) {
      await tab.deleteCookies();
      site.op.lie({ mustAsk: { error, prompts: [prompt] } });
      await tab.go(`${site.origin}/cart`, { url: `${site.origin}/` });
      await tab.go(`${site.origin}/private?after=${error}`);
      expect([error, ...(await shown(tab))]).toEqual([error, 'Private of ada', 'tea']);
      const asked = site.op.requests.filter(({ path }) => path === '/authorize');
      expect(asked.map(({ parameters }) => parameters['prompt'])).toEqual([undefined, prompt]);
      site.op.requests = [];
    }
  });
}

const shown = async (tab: Tab): Promise<unknown[]> => [
  await tab.text('h1'),
  await tab.text('#cart'),
];
