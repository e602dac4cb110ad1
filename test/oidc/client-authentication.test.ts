import { describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { type FetchedRequest, type OpByFetch, opByFetch } from '../support/op-by-fetch.ts';

const secret = 'secret of the client, of 32 bytes';

async function tokenRequest(op: OpByFetch): Promise<FetchedRequest> {
  await requestTokens(createProvider(op.options), 'refresh_token', { refresh_token: 'rt' });
  const last = op.requests.at(-1);
  if (last === undefined) throw new Error('no request was made');
  return last;
}

describe('Core 9 client authentication', () => {
  it('by none names the client and sends no secret', async () => {
    const op = opByFetch({}, { tokenEndpointAuthMethod: 'none' });
    const { parameters, headers } = await tokenRequest(op);
    expect(parameters).toEqual({
      client_id: 'client',
      grant_type: 'refresh_token',
      refresh_token: 'rt',
    });
    expect(headers.get('authorization')).toBeNull();
  });

  it('by client_secret_jwt signs an assertion with the secret, and does not send it', async () => {
    const op = opByFetch(
      {},
      { clientSecret: secret, tokenEndpointAuthMethod: 'client_secret_jwt' },
    );
    const { parameters, headers } = await tokenRequest(op);
    expect(parameters['client_assertion_type']).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
    const assertion = parameters['client_assertion'] ?? '';
    expect(decodeProtectedHeader(assertion).alg).toBe('HS256');
    const { payload } = await jwtVerify(assertion, Buffer.from(secret), {
      issuer: 'client',
      subject: 'client',
      audience: 'https://op.example',
      requiredClaims: ['jti', 'exp', 'iat'],
    });
    expect(payload.sub).toBe('client');
    expect(headers.get('authorization')).toBeNull();
    expect(parameters['client_secret']).toBeUndefined();
  });

  it.each([
    [undefined, 'basic'],
    [['client_secret_post'], 'post'],
    [['client_secret_jwt'], 'basic'],
    [['client_secret_basic', 'client_secret_post'], 'basic'],
  ])('where the OP offers %j and nothing was chosen is %s', async (offered, used) => {
    const op = opByFetch();
    op.metadata['token_endpoint_auth_methods_supported'] = offered;
    const { parameters, headers } = await tokenRequest(op);
    expect(headers.has('authorization') ? 'basic' : 'none').toBe(
      used === 'basic' ? 'basic' : 'none',
    );
    expect(parameters['client_secret']).toBe(used === 'post' ? secret : undefined);
  });
});
