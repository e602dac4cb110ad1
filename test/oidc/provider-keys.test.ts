import { describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { type ProviderKeys, providerKeys } from '../../lib/oidc/provider-keys.ts';
import { startClock } from '../support/clock.ts';
import { createGate } from '../support/gate.ts';

const header = (kid: string) => ({ alg: 'ES256', kid });
const token = { payload: '', signature: '' };

interface Rig {
  readonly keys: ProviderKeys;
  readonly clock: ReturnType<typeof startClock>;
  /** Makes a new key the only one that is published. */
  publish(kid: string): Promise<void>;
  /** How often the keys were fetched. */
  count(): number;
  /** Waited for before each answer. */
  before: () => Promise<void>;
}

async function start(): Promise<Rig> {
  let published: object[] = [];
  let fetches = 0;
  const clock = startClock(1_000_000);
  const rig: Rig = {
    clock,
    before: async () => undefined,
    count: () => fetches,
    async publish(kid) {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      published = [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }];
    },
    keys: providerKeys(
      'https://op.example/jwks',
      async () => {
        fetches += 1;
        await rig.before();
        return Response.json({ keys: published });
      },
      { now: clock.now, httpTimeoutSeconds: 10 },
    ),
  };
  await rig.publish('first');
  await rig.keys.preload();
  return rig;
}

describe("the OP's keys", () => {
  it('are fetched again when they are older than ten minutes, and not earlier', async () => {
    const { keys, clock, count } = await start();
    clock.advance(600);
    await keys.find(header('first'), token);
    expect(count()).toBe(1);
    clock.advance(0.001);
    await keys.find(header('first'), token);
    expect(count()).toBe(2);
  });

  it('are fetched once for two tokens that name a new key at the same time', async () => {
    const rig = await start();
    const gate = createGate();
    rig.before = gate.wait;
    await rig.publish('second');
    const first = rig.keys.find(header('second'), token);
    await gate.reached;
    const second = rig.keys.find(header('second'), token);
    // It has looked among the old keys by then, and waits.
    await new Promise(setImmediate);
    gate.open();
    expect(await second).toBe(await first);
    expect(rig.count()).toBe(2);
  });

  it('are fetched for an unknown kid again after 30 seconds, and not earlier', async () => {
    const { keys, clock, count } = await start();
    const seek = (): Promise<unknown> => keys.find(header('none'), token).catch(() => undefined);
    await seek();
    clock.advance(29.999);
    await seek();
    expect(count()).toBe(2);
    clock.advance(0.001);
    await seek();
    expect(count()).toBe(3);
  });
});
