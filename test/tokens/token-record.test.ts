import { describe, expect, it } from '@jest/globals';
import type { TokenSet } from '../../lib/oidc/code-exchange.ts';
import {
  createTokenRecord,
  isExpired,
  isStale,
  parseTokenRecord,
  renewTokenRecord,
  serializeTokenRecord,
} from '../../lib/tokens/token-record.ts';

const inToken = { iss: 'https://op.example', sub: 'ada', aud: 'client', exp: 2000, iat: 1000 };
const idToken = `x.${Buffer.from(JSON.stringify(inToken)).toString('base64url')}.y`;
const tokens: TokenSet = {
  claims: { ...inToken, nonce: 'n', auth_time: 900 },
  idToken,
  accessToken: 'at',
  refreshToken: 'rt',
  expiresAt: 4600,
  expiresIn: 3600,
  scope: 'openid',
};

describe('token record', () => {
  it('comes back from its text whole, claims that the ID Token lacks included', () => {
    const record = createTokenRecord(tokens);
    expect(parseTokenRecord(serializeTokenRecord(record))).toEqual(record);
  });

  it('comes back from its text where everything optional is absent', () => {
    const { nonce, auth_time, ...claims } = tokens.claims;
    const bare: TokenSet = {
      ...tokens,
      claims,
      refreshToken: undefined,
      expiresAt: undefined,
      expiresIn: undefined,
    };
    const record = createTokenRecord(bare);
    expect(parseTokenRecord(serializeTokenRecord(record))).toEqual(record);
  });

  it('does not read another format', () => {
    expect(parseTokenRecord('[2]')).toBeUndefined();
  });

  it('counts its versions and keeps its login', () => {
    const first = createTokenRecord(tokens);
    const second = renewTokenRecord(first, tokens);
    expect(second).toMatchObject({ loginId: first.loginId, version: first.version + 1 });
    expect(createTokenRecord(tokens).loginId).not.toBe(first.loginId);
  });

  it.each([
    [4539, 60, false],
    [4540, 60, true],
    [4599, 0, false],
    [4600, 0, true],
    // At most half the life of the token.
    [2799, 10_000, false],
    [2800, 10_000, true],
  ])('at %i, with a margin of %i, is stale: %s', (now, margin, expected) => {
    expect(isStale(tokens, now * 1000, margin)).toBe(expected);
  });

  it('is never stale nor expired where the OP names no end', () => {
    const endless = { ...tokens, expiresAt: undefined, expiresIn: undefined };
    expect(isStale(endless, Number.MAX_SAFE_INTEGER, 60)).toBe(false);
    expect(isExpired(endless, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('is expired from its end on', () => {
    expect(isExpired(tokens, 4_599_999)).toBe(false);
    expect(isExpired(tokens, 4_600_000)).toBe(true);
  });
});
