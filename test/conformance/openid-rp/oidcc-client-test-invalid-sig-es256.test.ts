import { describe } from '@jest/globals';
import { describeRefusals } from '../../support/refusals.ts';

const cutSignature = (alg: string): string =>
  `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.e30.AAAA`;

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
