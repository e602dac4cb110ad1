import { describe, expect, it } from '@jest/globals';
import { readResponseParameters } from '../../lib/oidc/response-parameters.ts';

const malformed = expect.objectContaining({ code: 'ERR_OIDC_PARAMETER_MALFORMED' });

describe('RFC 6749 3.1 response parameters', () => {
  it.each([
    ['code', 4096],
    ['state', 512],
    ['iss', 512],
    ['error', 128],
  ])('%s has %i characters at the most', (name, length) => {
    const longest = 'x'.repeat(length);
    expect(readResponseParameters([[name, longest]])).toEqual({ [name]: longest });
    expect(() => readResponseParameters([[name, `${longest}x`]])).toThrow(malformed);
  });

  it.each(['code', 'state', 'iss', 'error', 'id_token', 'access_token', 'token_type'])(
    '%s is printable ASCII',
    (name) => {
      expect(readResponseParameters([[name, ' ~']])).toEqual({ [name]: ' ~' });
      for (const value of ['\u001f', '\u007f', 'ä', 'a\nb', 'a\n']) {
        expect(() => readResponseParameters([[name, value]])).toThrow(malformed);
      }
    },
  );

  it.each(['error_description', 'error_uri'])('%s may be any text', (name) => {
    const text = `ä\n${'x'.repeat(5000)}`;
    expect(readResponseParameters([[name, text]])).toEqual({ [name]: text });
  });
});
