import { describe, expect, it } from '@jest/globals';
import type { TokenSet } from '../../lib/oidc/code-exchange.ts';
import { resolveTarget } from '../../lib/oidc/token-target.ts';
import {
  createTokenRecord,
  isExpired,
  isStale,
  isUnbound,
  renewTokenRecord,
  withExchangedToken,
} from '../../lib/tokens/token-record.ts';
import { loginTarget, refreshedOf } from '../support/tokens.ts';

const inToken = { iss: 'https://op.example', sub: 'ada', aud: 'client', exp: 2000, iat: 1000 };
const idToken = `x.${Buffer.from(JSON.stringify(inToken)).toString('base64url')}.y`;
const tokens: TokenSet = {
  claims: { ...inToken, nonce: 'n', auth_time: 900 },
  idToken,
  accessToken: 'at',
  refreshToken: 'rt',
  refreshIssuedAt: 1000,
  expiresAt: 4600,
  expiresIn: 3600,
  scope: 'openid',
};

describe('token record', () => {
  it.each([
    ['auth_time', 900, 900],
    ['iat, where there is no auth_time', undefined, 1000],
    ['iat, where auth_time is in milliseconds', 900_000, 1000],
    ['iat, where auth_time is text', '900', 1000],
    ['iat, where auth_time is no time', Number.NEGATIVE_INFINITY, 1000],
  ])('dates the login by %s', (_what, auth_time, expected) => {
    const claims = { ...tokens.claims, auth_time } as TokenSet['claims'];
    expect(createTokenRecord({ ...tokens, claims }).loggedInAt).toBe(expected);
  });

  it('keeps the tokens of the 20 APIs that were asked for last', () => {
    let record = createTokenRecord(tokens);
    for (let index = 0; index < 25; index += 1) {
      const target = resolveTarget(
        { audience: `api-${index}` },
        { resources: [], audience: undefined },
      );
      record = renewTokenRecord(record, refreshedOf({ accessToken: `at-${index}` }), target);
    }
    expect(record.apiTokens.size).toBe(20);
    expect([...record.apiTokens.values()][0]?.accessToken).toBe('at-5');
  });

  it('counts its versions and keeps its login', () => {
    const first = createTokenRecord(tokens);
    const second = renewTokenRecord(first, refreshedOf(), loginTarget);
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

  const dpop = { alg: 'ES256', secret: 'a' } as const;
  const on = { dpop: undefined, certificateBoundAccessTokens: true };
  const off = { ...on, certificateBoundAccessTokens: false };

  it.each<[object, Parameters<typeof isUnbound>[1], boolean]>([
    [{}, off, false],
    [{}, on, true],
    [{ isCertificateBound: true }, on, false],
    [{ isCertificateBound: true }, off, false],
    [{}, { ...off, dpop: 'ES256' }, true],
    [{ dpop }, { ...off, dpop: 'ES256' }, false],
    [{ dpop }, off, false],
    [{ dpop }, { ...on, dpop: 'ES256' }, true],
    [{ isCertificateBound: true }, { ...on, dpop: 'ES256' }, true],
    [{ dpop, isCertificateBound: true }, { ...on, dpop: 'ES256' }, false],
  ])('with %j and the options %j is from before them: %s', (findings, options, expected) => {
    expect(isUnbound(createTokenRecord({ ...tokens, ...findings }), options)).toBe(expected);
  });

  it('counts as bound while all its tokens have come with the option', () => {
    const bound = createTokenRecord({ ...tokens, isCertificateBound: true });
    const access = { accessToken: 'at', expiresAt: undefined, expiresIn: undefined, scope: '' };
    expect(isUnbound(withExchangedToken(bound, access, loginTarget, on), on)).toBe(false);
    expect(isUnbound(withExchangedToken(bound, access, loginTarget, off), on)).toBe(true);
  });
});
