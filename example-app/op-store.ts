import type { Adapter, AdapterPayload } from 'oidc-provider';

interface Entry {
  readonly payload: AdapterPayload;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

const longestPossible = Number.MAX_SAFE_INTEGER;

/**
 * Where the local OP keeps its sessions, grants and tokens: memory, gone with the process.
 *
 * oidc-provider has such a store built in, and warns about it at every start, rightly so for an OP
 * in production. Choosing one's own is the way to say that it is meant.
 */
export function createOpStore(): (model: string) => Adapter {
  const entries = new Map<string, Entry>();
  return (model) => createAdapter(model, entries);
}

function createAdapter(model: string, entries: Map<string, Entry>): Adapter {
  const read = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAt > Date.now()) return entry?.payload;
    entries.delete(key);
    return undefined;
  };
  const findBy = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    const keys = [...entries.keys()].filter((key) => key.startsWith(`${model}:`));
    return keys.map(read).find((payload) => payload !== undefined && matches(payload));
  };
  return {
    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : longestPossible;
      entries.set(`${model}:${id}`, { payload, expiresAt });
    },
    find: async (id) => read(`${model}:${id}`),
    findByUid: async (uid) => findBy((payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
    async consume(id) {
      const payload = read(`${model}:${id}`);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      entries.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries)
        if (payload.grantId === grantId) entries.delete(key);
    },
  };
}
