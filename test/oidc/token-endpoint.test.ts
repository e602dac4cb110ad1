import { describe, expect, it } from '@jest/globals';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

const sent = {
  code: 'code-1',
  code_verifier: 'verifier-1',
  refresh_token: 'refresh-1',
  subject_token: 'subject-1',
};

/** The error of a request that the OP refuses in these words. */
async function refusedBy(words: object): Promise<unknown> {
  const op = opByFetch();
  op.token = () => Response.json(words, { status: 400 });
  const request = requestTokens(createProvider(op.options), 'authorization_code', sent);
  return request.catch((error: unknown) => error);
}

describe('the words of the OP', () => {
  it('stand in the error as they came', async () => {
    const words = { error: 'invalid_grant', error_description: 'used before' };
    expect(await refusedBy(words)).toMatchObject({ code: 'ERR_OIDC_GRANT_REFUSED', ...words });
  });

  it.each(Object.values(sent))(
    'are left out where they repeat what was sent: %s',
    async (secret) => {
      for (const words of [
        { error: 'invalid_grant', error_description: `${secret} was used before` },
        { error: `no ${secret}`, error_description: 'used before' },
      ]) {
        const error = await refusedBy(words);
        expect(error).toMatchObject({ endpoint: 'token' });
        expect(JSON.stringify([error, (error as Error).message])).not.toContain(secret);
        expect(error).not.toHaveProperty('error', words.error);
      }
    },
  );

  it('are left alone where the request has nothing of the kind', async () => {
    const op = opByFetch();
    const words = { error: 'invalid_grant', error_description: 'x' };
    op.token = () => Response.json(words, { status: 400 });
    const request = requestTokens(createProvider(op.options), 'refresh_token', {});
    await expect(request).rejects.toMatchObject(words);
  });

  it('do not matter to errors that are not of the OP', async () => {
    const op = opByFetch();
    op.token = () => Response.json({ access_token: 'a', token_type: 'Bearer', id_token: 7 });
    const request = requestTokens(createProvider(op.options), 'authorization_code', sent);
    await expect(request).rejects.toMatchObject({ code: 'ERR_OIDC_ID_TOKEN_MALFORMED' });
  });
});
