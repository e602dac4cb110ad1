import { describe, expect, it } from '@jest/globals';
import type { TokenSet } from '../../lib/oidc/code-exchange.ts';
import { resolveTarget } from '../../lib/oidc/token-target.ts';
import { createPacker } from '../../lib/tokens/packing.ts';
import { createRecordFormat } from '../../lib/tokens/record-format.ts';
import {
  createTokenRecord,
  renewTokenRecord,
  type TokenRecord,
} from '../../lib/tokens/token-record.ts';
import { refreshedOf } from '../support/tokens.ts';

const client = { issuer: 'https://op.example', clientId: 'client' };
const format = createRecordFormat(client);
const through = (record: TokenRecord): TokenRecord | undefined => format.read(format.write(record));

const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');
const inToken = { iss: client.issuer, sub: 'ada', aud: 'client', exp: 2000, iat: 1000 };
const signature = encode(Buffer.alloc(256, 'signature'));
const jwtOf = (claims: object, header = '{"alg":"RS256","kid":"a"}'): string =>
  [encode(header), encode(JSON.stringify(claims)), signature].join('.');

const tokens: TokenSet = {
  claims: { ...inToken, nonce: 'n', auth_time: 900 },
  idToken: jwtOf(inToken),
  accessToken: 'at',
  refreshToken: 'rt',
  refreshIssuedAt: 1000,
  expiresAt: 4600,
  expiresIn: 3600,
  scope: 'openid',
};

describe('a record as bytes', () => {
  it('comes back whole, claims that the ID Token lacks included', () => {
    const record = createTokenRecord(tokens);
    expect(through(record)).toEqual(record);
  });

  it('comes back where everything optional is absent', () => {
    const { nonce, auth_time, ...claims } = tokens.claims;
    const optional = { refreshToken: undefined, expiresAt: undefined, expiresIn: undefined };
    const record = createTokenRecord({ ...tokens, claims, ...optional });
    expect(through(record)).toEqual(record);
  });

  it.each([
    ['opaque', 'b3BhcXVl'],
    ['base64 of another alphabet', 'a+b/c=='],
    ['a JWT', jwtOf({ scope: 'read' })],
    ['what only looks like a JWT', 'a.b.c'],
    ['of dots', '...'],
    ['of other signs', '"\\\u0000 ä 漢 😀'],
    ['empty', ''],
  ])('comes back with tokens that are %s', (_what, token) => {
    const record = createTokenRecord({ ...tokens, accessToken: token, refreshToken: token });
    expect(through(record)).toEqual(record);
  });

  it.each([
    ['claims of other languages', jwtOf({ ...inToken, name: 'ä 漢 😀' })],
    ['a header with spaces', jwtOf(inToken, '{ "alg": "RS256",\n "kid": "a" }')],
    [
      'a header that is no UTF-8',
      [encode(Buffer.from([0xff])), ...jwtOf(inToken).split('.').slice(1)].join('.'),
    ],
    ['a header that is encoded in an odd way', jwtOf(inToken).replace(/^[^.]*/, 'x')],
  ])('comes back with an ID Token that has %s', (_what, idToken) => {
    const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString();
    const record = createTokenRecord({ ...tokens, idToken, claims: JSON.parse(payload) });
    expect(through(record)).toEqual(record);
  });

  it('comes back with the tokens for other APIs', () => {
    const target = (audience: string) =>
      resolveTarget({ audience }, { resources: [], audience: undefined });
    const first = createTokenRecord(tokens);
    const second = renewTokenRecord(first, refreshedOf({ accessToken: 'a' }), target('a'));
    const third = renewTokenRecord(
      second,
      refreshedOf({ accessToken: 'b', expiresAt: 4000, expiresIn: 60 }),
      target('b'),
    );
    const read = through(third);
    expect(read).toEqual({ ...third, apiTokens: new Map(third.apiTokens) });
    expect(read?.tokens.accessToken).toBe('at');
    expect([...(read?.apiTokens.values() ?? [])].map(({ accessToken }) => accessToken)).toEqual([
      'a',
      'b',
    ]);
  });

  it('comes back again after it was read and written', () => {
    const record = createTokenRecord(tokens);
    const read = through(record) ?? record;
    expect(through(read)).toEqual(record);
  });

  it('gives the same claims to all who ask, and lets none of them be changed', () => {
    const read = through(createTokenRecord(tokens));
    expect(read?.tokens.claims).toBe(read?.tokens.claims);
    expect(Object.isFrozen(read?.tokens.claims)).toBe(true);
  });

  it('is not read if it is of another layout', () => {
    const packer = createPacker('');
    for (const layout of [1, 3]) {
      expect(format.read(packer.pack({ head: [layout], tokens: [], text: '' }))).toBeUndefined();
    }
  });

  it('takes less than two thirds of its text', () => {
    const claims = {
      ...inToken,
      auth_time: 900,
      nonce: encode(Buffer.alloc(32, 'nonce')),
      name: 'Ada Lovelace',
      email: 'ada@op.example',
    };
    const record = createTokenRecord({ ...tokens, claims, idToken: jwtOf(claims) });
    const text = JSON.stringify([
      record.loginId,
      ...Object.values({ ...record.tokens, claims: 0 }),
    ]);
    expect(format.write(record).length).toBeLessThan((text.length * 2) / 3);
  });
});

describe('what somebody else may have a say in', () => {
  const secrets = ['accessToken', 'refreshToken'] as const;
  const secret = encode(Buffer.alloc(24, 'a secret of the login'));

  it.each(secrets)('tells nothing of the %s by the size of the record', (name) => {
    const sizeWith = (claim: string): number => {
      const claims = { ...inToken, name: claim };
      const record = createTokenRecord({
        ...tokens,
        claims,
        idToken: jwtOf(claims),
        [name]: secret,
      });
      return format.write(record).length;
    };
    const wrong = encode(Buffer.alloc(24, 'b tfdsfu pg uif mphjo'));
    expect(sizeWith(secret)).toBe(sizeWith(wrong));
  });

  it('tells nothing of the signature of the ID Token either', () => {
    const sizeWith = (claim: string): number => {
      const claims = { ...inToken, name: claim };
      return format.write(createTokenRecord({ ...tokens, claims, idToken: jwtOf(claims) })).length;
    };
    const other = encode(Buffer.alloc(256, 'tjhobuvsf'));
    expect(sizeWith(signature)).toBe(sizeWith(other));
  });
});
