import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { type FetchedRequest, opByFetch } from '../support/op-by-fetch.ts';

// RFC 6749 appendix A.1 and A.2: printable ASCII. Options refuse space around a value.
const printable = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,40}[\x21-\x7e])?$/);
const nasty = fc.constantFrom('a:b', '%', '+', 'a b+c%20d', '&=?#', '"\\', "~!*()'", ':', '%3A');
const credential = fc.oneof(printable, nasty);

async function send(
  clientId: string,
  clientSecret: string,
  method: 'client_secret_basic' | 'client_secret_post',
): Promise<FetchedRequest> {
  const op = opByFetch({ clientId }, { clientSecret, tokenEndpointAuthMethod: method });
  await requestTokens(createProvider(op.options), 'refresh_token', { refresh_token: 'rt' });
  return op.requests.at(-1) as FetchedRequest;
}

/** RFC 6749 2.3.1, read by hand as an OP does: form-urlencoded, then joined, then base64. */
function readBasic(header: string | null): string[] {
  const [scheme, credentials = ''] = (header ?? '').split(' ');
  expect(scheme).toBe('Basic');
  const pair = Buffer.from(credentials, 'base64').toString('latin1');
  expect(pair).toMatch(/^[A-Za-z0-9*._+%~!'()-]+:[A-Za-z0-9*._+%~!'()-]+$/);
  return pair.split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
}

describe('RFC 6749 2.3.1 credentials of any printable characters', () => {
  it('arrive whole by client_secret_basic', async () => {
    await fc.assert(
      fc.asyncProperty(credential, credential, async (id, secret) => {
        const { headers, parameters } = await send(id, secret, 'client_secret_basic');
        expect(readBasic(headers.get('authorization'))).toEqual([id, secret]);
        expect(parameters).toEqual({ grant_type: 'refresh_token', refresh_token: 'rt' });
      }),
      { numRuns: 300 },
    );
  });

  it('arrive whole by client_secret_post', async () => {
    await fc.assert(
      fc.asyncProperty(credential, credential, async (id, secret) => {
        const { headers, parameters } = await send(id, secret, 'client_secret_post');
        expect(headers.get('authorization')).toBeNull();
        expect(parameters).toEqual({
          client_id: id,
          client_secret: secret,
          grant_type: 'refresh_token',
          refresh_token: 'rt',
        });
      }),
      { numRuns: 300 },
    );
  });
});
