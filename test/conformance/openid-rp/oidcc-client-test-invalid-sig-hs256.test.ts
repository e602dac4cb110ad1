import { afterEach, describe, expect, it } from '@jest/globals';
import { type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { type Flow, startFlow } from '../../support/flow.ts';
import { channels, describeRefusals, expectRefusal } from '../../support/refusals.ts';

describe('oidcc-client-test-invalid-sig-hs256', () => {
  describe('HMAC is refused, whatever it was made with', () => {
    describeRefusals([
      ['HS256 with the client secret', { signedWith: 'client_secret' }, 'ID_TOKEN_ALG'],
    ]);
  });

  describe('where the OP offers HS256', () => {
    let flow: Flow;
    afterEach(() => flow.close());

    it.each(channels)('$name still refuses it', async ({ oidc, place }) => {
      flow = await startFlow({ oidc });
      const offer = {
        discovery: {
          json: (body: object) => ({
            ...body,
            id_token_signing_alg_values_supported: ['HS256', 'ES256'],
          }),
        },
      };
      flow.op.lie(offer);
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
      await expectRefusal(flow, { [place]: { signedWith: 'client_secret' } }, 'ID_TOKEN_ALG');
    });
  });

  it('cannot be configured', () => {
    const options = {
      issuer: 'https://op.example',
      clientId: 'client',
      clientSecret: 'secret',
      baseUrl: 'https://app.example',
      secret: 'a secret for tests, of 32 characters',
    };
    const withAlg = (alg: string): CommonOptions =>
      ({ ...options, idTokenSignedResponseAlg: alg }) as unknown as CommonOptions;
    expect(() => hybridFlow(withAlg('ES256') as Parameters<typeof hybridFlow>[0])).not.toThrow();
    for (const alg of ['HS256', 'HS512', 'none', 'es256']) {
      expect(() => hybridFlow(withAlg(alg) as Parameters<typeof hybridFlow>[0])).toThrow(
        expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID' }),
      );
    }
  });
});
