import { describe, expect, it } from '@jest/globals';
import { setIdTokenAside, unverifiedIdTokenName } from '../../lib/oidc/id-token-aside.ts';

describe('the text of a token response', () => {
  it('keeps its ID Token under another name, and all else', () => {
    const body = { id_token: 'a.b.c', access_token: 'at', expires_in: 60 };
    expect(JSON.parse(setIdTokenAside(JSON.stringify(body)))).toEqual({
      [unverifiedIdTokenName]: 'a.b.c',
      access_token: 'at',
      expires_in: 60,
    });
  });

  it.each(['{ "access_token": "at" }', 'null', '7', 'no JSON', ''])(
    'without an ID Token is as it came: %s',
    (text) => {
      expect(setIdTokenAside(text)).toBe(text);
    },
  );
});
