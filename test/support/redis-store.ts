import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { startRedis } from './redis.ts';

/** express-session's store in a Redis of our own. */
export interface StartedRedisStore {
  readonly url: string;
  readonly store: RedisStore;
  readonly client: ReturnType<typeof createClient>;
  close(): Promise<void>;
}

export async function startRedisStore(): Promise<StartedRedisStore> {
  const redis = await startRedis();
  const client = createClient({ url: redis.url });
  client.on('error', () => undefined);
  await client.connect();
  return {
    url: redis.url,
    store: new RedisStore({ client }),
    client,
    async close() {
      client.destroy();
      await redis.stop();
    },
  };
}
