import type { Agent, Dispatcher } from 'undici';
import type { ClientCertificate } from '../client-certificate.ts';
import { loadUndici } from '../undici.ts';

/**
 * Connections on which this client shows its certificate.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2 RFC 8705 section 2}
 */
export interface MutualTls {
  /**
   * What requests go by. After a certificate has changed, requests under way finish on the connections of the old one.
   *
   * @throws {@link OptionsError} when the application's function gives no certificate
   */
  dispatcher(): Promise<Dispatcher>;
  /** SHA-256 of the certificate, as access tokens that are bound to it name it: `x5t#S256`. */
  thumbprint(): string;
}

export function createMutualTls(certificate: () => ClientCertificate): MutualTls {
  let current: { readonly of: ClientCertificate; readonly agent: Agent } | undefined;
  return {
    // An agent that is left behind closes its connections by itself, when they have been idle for seconds.
    async dispatcher() {
      const { Agent: UndiciAgent } = await loadUndici();
      const wanted = certificate();
      if (current?.of !== wanted) {
        const { cert, key, passphrase, ca } = wanted;
        const connect = { cert, key, passphrase, ca };
        current = { of: wanted, agent: new UndiciAgent({ connect }) };
      }
      return current.agent;
    },
    thumbprint: () => certificate().thumbprint,
  };
}
