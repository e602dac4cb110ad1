import { expect, it } from '@jest/globals';
import { type Flow, json, sealingSecret } from '../support/flow.ts';
import { describeStores, onlyLogin } from '../support/stores.ts';

const rotated = 'another secret for tests, which follows the first';

/** The access token that an API would get, or the status of the refusal. */
async function bearer({ browser, baseUrl }: Flow): Promise<unknown> {
  const answer = await browser.fetch(`${baseUrl}/api/x`);
  return answer.status === 200 ? json(answer)['authorization'] : answer.status;
}

const newest = ({ op }: Flow): string => `Bearer ${op.accessTokens.back.at(-1)}`;

describeStores('a login', ({ store, start }) => {
  const mark = async (): Promise<unknown> => {
    const [session] = await onlyLogin(store());
    return JSON.parse(await store().raw(session)).oidc;
  };

  it('is a session with a mark and a record beside it', async () => {
    const flow = await start();
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(await bearer(flow)).toBe(newest(flow));
    const [session] = await onlyLogin(store());
    expect(session).not.toBe('');
    expect(await mark()).toEqual({
      id: expect.any(String),
      user: expect.any(String),
      session: expect.any(String),
    });
  });

  it('keeps its one record and its mark over refreshes', async () => {
    const flow = await start();
    await flow.signIn();
    const keys = await onlyLogin(store());
    const before = await mark();
    const sealed = new Set([await store().raw(keys[1])]);
    for (const refreshes of [1, 2]) {
      flow.clock.advance(4000);
      expect(await bearer(flow)).toBe(newest(flow));
      expect(flow.op.count('/token', 'refresh_token')).toBe(refreshes);
      expect(await onlyLogin(store())).toEqual(keys);
      expect(await mark()).toEqual(before);
      sealed.add(await store().raw(keys[1]));
    }
    expect(sealed.size).toBe(3);
  });

  it('leaves nothing readable in the store: no token, no code, no name of the user', async () => {
    const flow = await start();
    flow.op.subject = 'lovelace';
    await flow.signIn();
    flow.clock.advance(4000);
    expect(await bearer(flow)).toBe(newest(flow));
    const secrets = [...flow.op.handedOut, 'lovelace'];
    // Two tokens of each kind, and what went by the browser.
    expect(secrets.length).toBeGreaterThan(6);
    for (const key of await onlyLogin(store())) {
      const raw = await store().raw(key);
      const encoded = raw.match(/[\w-]{16,}/g) ?? [];
      const texts = [raw, ...encoded.map((text) => Buffer.from(text, 'base64url').toString())];
      expect(encoded).not.toEqual([]);
      expect(secrets.filter((secret) => texts.some((text) => text.includes(secret)))).toEqual([]);
    }
  });

  it('is read with the old secret and written with the new one while secrets rotate', async () => {
    const before = await start();
    await before.signIn();
    const { op, clock, browser } = before;
    const process = async (secret: string | [string, string]): Promise<Flow> => ({
      ...(await start({ op, clock, oidc: { secret } })),
      browser,
    });
    const [both, newOnly] = [await process([rotated, sealingSecret]), await process(rotated)];
    expect(await bearer(newOnly)).toBe(401);
    expect(await bearer(both)).toBe(newest(before));
    clock.advance(4000);
    expect(await bearer(both)).toBe(newest(before));
    expect(op.count('/token', 'refresh_token')).toBe(1);
    expect(await bearer(newOnly)).toBe(newest(before));
    expect(await bearer(before)).toBe(401);
  });
});
