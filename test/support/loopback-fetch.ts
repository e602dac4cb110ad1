import type { LookupFunction } from 'node:net';
import { Agent, fetch as undiciFetch } from 'undici';

/** A fetch for servers of a test, and the end of its connections. */
export interface LoopbackFetch {
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/**
 * A fetch for which every host name is this machine, as it is for a Chromium with `hostRules`, and
 * which trusts one certificate.
 */
export function createLoopbackFetch(certificate?: string): LoopbackFetch {
  const agent = new Agent({
    connect: {
      lookup: lookUpLoopback,
      ...(certificate === undefined ? {} : { ca: certificate }),
    },
  });
  const loopbackFetch = (input: unknown, init: object = {}): unknown =>
    undiciFetch(String(input), { ...init, dispatcher: agent });
  return {
    fetch: loopbackFetch as typeof globalThis.fetch,
    close: () => agent.destroy(),
  };
}

const lookUpLoopback: LookupFunction = (_hostname, options, done) => {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
