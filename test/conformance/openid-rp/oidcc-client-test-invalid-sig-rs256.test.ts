import { describe } from '@jest/globals';
import { channels, describeRefusals } from '../../support/refusals.ts';

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
