import { afterEach, describe, expect, it } from '@jest/globals';
import { type CommonOptions, hybridFlow } from 'passport-oidc-hybrid';
import { type Flow, startFlow } from '../../support/flow.ts';
import { channels, describeRefusals, expectRefusal } from '../../support/refusals.ts';

const cutSignature = (alg: string): string =>
  `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.e30.AAAA`;

describe('oidcc-client-test-invalid-sig-rs256', () => {
  describe('Core 3.1.3.7 (6)', () => {
    describeRefusals(
      [
        ['a signature of another RSA key', { signedWith: 'foreign_key' }, 'ID_TOKEN_SIGNATURE'],
        ['a signature that was cut', { raw: cutSignature('RS256') }, 'ID_TOKEN_SIGNATURE'],
        // A forger knows the public key, and takes it for the secret of an HMAC.
        ['HS256 with the public RSA key', { signedWith: 'public_key' }, 'ID_TOKEN_ALG'],
      ],
      { alg: 'RS256', in: channels.filter(({ name }) => name.startsWith('"code id_token"')) },
    );
  });
});

describe('oidcc-client-test-invalid-sig-es256', () => {
  describe('Core 3.1.3.7 (6)', () => {
    describeRefusals([
      ['a signature of another EC key', { signedWith: 'foreign_key' }, 'ID_TOKEN_SIGNATURE'],
      ['a signature that was cut', { raw: cutSignature('ES256') }, 'ID_TOKEN_SIGNATURE'],
      ['HS256 with the public EC key', { signedWith: 'public_key' }, 'ID_TOKEN_ALG'],
    ]);
  });

  describe('RFC 7515 4.1.2 to 4.1.6 keys in the header', () => {
    describeRefusals([
      ['a key that the token brings itself', { signedWith: 'embedded_key' }, 'ID_TOKEN_SIGNATURE'],
      [
        'a URL of keys that the token brings itself',
        { signedWith: 'foreign_key', header: { jku: 'https://evil.example/jwks' } },
        'ID_TOKEN_SIGNATURE',
      ],
      [
        'a chain of certificates that the token brings itself',
        { signedWith: 'foreign_key', header: { x5c: ['AAAA'], x5u: 'https://evil.example/' } },
        'ID_TOKEN_SIGNATURE',
      ],
    ]);
  });
});

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
