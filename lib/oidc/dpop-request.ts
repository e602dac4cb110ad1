import type * as client from 'openid-client';
import type { DpopKey } from './dpop.ts';
import type { DiscoveredProvider } from './provider.ts';
import { isNonceDemanded } from './translate-error.ts';

/** How a request to the OP is proven. */
export interface Proving {
  readonly key: DpopKey;
  /** Whether it may take longer. */
  readonly isPatient: boolean;
  /** Of the UserInfo Endpoint, which is called as an API is. */
  readonly accessToken?: string | undefined;
}

/**
 * Sends a request to the OP with a proof; once more, where the OP wants its nonce in it. The whole request
 * is made anew then, as a client assertion is good for one only.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 RFC 9449 section 8}
 */
export async function sendProven<Answer>(
  { configure, dpop }: Pick<DiscoveredProvider, 'configure' | 'dpop'>,
  { key, isPatient, accessToken }: Proving,
  send: (configuration: client.Configuration) => Promise<Answer>,
): Promise<Answer> {
  let isNonceNew = false;
  const configuration = configure(isPatient, (fetch) => async (url, init = {}) => {
    const { method = 'GET' } = init as { method?: string };
    const headers = new Headers((init as RequestInit).headers);
    const proof = await dpop.prove(key, { method, url, accessToken }, 'op');
    headers.set('DPoP', proof.jwt);
    if (accessToken !== undefined) headers.set('Authorization', `DPoP ${accessToken}`);
    const response = await fetch(url, { ...init, headers });
    isNonceNew = proof.learn(response.headers.get('dpop-nonce'));
    return response;
  });
  try {
    return await send(configuration);
  } catch (error) {
    if (!isNonceNew || !isNonceDemanded(error)) throw error;
    return send(configuration);
  }
}
