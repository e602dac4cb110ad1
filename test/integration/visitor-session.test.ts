import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { MemoryStore, type Store } from 'express-session';
import { createClient } from 'redis';
import { type Flow, json, startFlow } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';
import { type Redis, startRedis } from '../support/redis.ts';

describeWithParts(['redis-server'], "a visitor's session over a login", () => {
  let redis: Redis;
  let client: ReturnType<typeof createClient>;
  let flow: Flow;

  beforeAll(async () => {
    redis = await startRedis();
    client = createClient({ url: redis.url });
    await client.connect();
  });
  beforeEach(() => client.flushAll());
  afterEach(() => flow.close());
  afterAll(async () => {
    client.destroy();
    await redis.stop();
  });

  const stores: Record<string, () => Store> = {
    MemoryStore: () => new MemoryStore(),
    Redis: () => new RedisStore({ client }),
  };
  const rows = Object.keys(stores).flatMap((store) =>
    (['lax', 'strict'] as const).flatMap((sameSite) =>
      (['form_post', 'fragment'] as const).map((mode) => [store, sameSite, mode] as const),
    ),
  );

  it.each(rows)(
    'in %s survives with a %s cookie, by %s, and goes to nobody else',
    async (name, sameSite, responseMode) => {
      const store = stores[name]?.();
      flow = await startFlow({
        ...(store === undefined ? {} : { store }),
        session: { cookie: { sameSite } },
        oidc: { responseMode },
      });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      const before = await flow.browser.jar.getCookieString(flow.baseUrl);
      expect(json(await flow.signIn())).toMatchObject({ sub: 'ada', cart: ['tea'] });
      expect(await flow.browser.jar.getCookieString(flow.baseUrl)).not.toBe(before);
      expect(await flow.storeKeys()).toHaveLength(2);

      flow.op.subject = 'eve';
      const arrival = await flow.browser.navigate(`${flow.baseUrl}/login`);
      expect(json(arrival)).toMatchObject({ claims: { sub: 'eve' }, cart: [] });
    },
  );
});
