import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Where the certified OP keeps sessions, grants and tokens: memory, by the clock of the machine. */
export function createCertifiedOpStore(): (model: string) => Adapter {
  const entries = new Map<string, { payload: AdapterPayload; expiresAt: number }>();
  const read = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    return entry && entry.expiresAt > Date.now() ? entry.payload : undefined;
  };
  return (model) => {
    const find = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
      [...entries.keys()]
        .filter((key) => key.startsWith(`${model}:`))
        .map(read)
        .find((payload) => payload !== undefined && matches(payload));
    return {
      async upsert(id: string, payload: AdapterPayload, expiresIn?: number) {
        const life = expiresIn === undefined ? Number.POSITIVE_INFINITY : expiresIn * 1000;
        entries.set(`${model}:${id}`, { payload, expiresAt: Date.now() + life });
      },
      find: async (id) => read(`${model}:${id}`),
      findByUid: async (uid) => find((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => find((payload) => payload.userCode === userCode),
      async consume(id) {
        const payload = read(`${model}:${id}`);
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      async destroy(id) {
        entries.delete(`${model}:${id}`);
      },
      async revokeByGrantId(grantId) {
        for (const [key, { payload }] of entries) {
          if (payload.grantId === grantId) entries.delete(key);
        }
      },
    };
  };
}
