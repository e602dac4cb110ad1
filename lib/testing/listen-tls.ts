import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { keepAliveTimeout } from './listen.ts';

/** A key and its certificate, both PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** An https server on a free port of loopback. */
export interface ListeningTls {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

/** What `listen` does, over TLS. Its listener is attached later: `server.on('request', app)`. */
export async function listenTls(
  certificate: Certificate & ServerOptions,
  port = 0,
): Promise<ListeningTls> {
  const server = createServer({ keepAliveTimeout, ...certificate });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
