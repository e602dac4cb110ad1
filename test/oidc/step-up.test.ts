import { describe, expect, it } from '@jest/globals';
import {
  isInvalidToken,
  narrowDemands,
  readStepUpChallenge,
  satisfiesDemands,
} from '../../lib/oidc/step-up.ts';
import { tokensOf } from '../support/tokens.ts';

const answer = (challenge: string, status = 401): Response =>
  new Response(null, { status, headers: { 'WWW-Authenticate': challenge } });

const error = 'error="insufficient_user_authentication"';

describe('RFC 9470 3 the challenge', () => {
  it.each([
    [`Bearer ${error}`, { acrValues: [], maxAge: undefined }],
    [`Bearer ${error}, acr_values="mfa hwk"`, { acrValues: ['mfa', 'hwk'], maxAge: undefined }],
    [`Bearer ${error}, max_age="60"`, { acrValues: [], maxAge: 60 }],
    [`Bearer ${error}, max_age=0`, { acrValues: [], maxAge: 0 }],
    [`Bearer ${error}, max_age="soon"`, { acrValues: [], maxAge: undefined }],
    [
      `bearer realm="a, b", ERROR=insufficient_user_authentication`,
      { acrValues: [], maxAge: undefined },
    ],
    [
      `Bearer error_description="a \\"quoted\\" error=x", ${error}`,
      { acrValues: [], maxAge: undefined },
    ],
  ])('%s is read', (challenge, demands) => {
    expect(readStepUpChallenge(answer(challenge))).toEqual(demands);
  });

  it.each([
    ['Bearer error="invalid_token"', 401],
    [`Bearer ${error}`, 403],
    ['Bearer realm="error=insufficient_user_authentication"', 401],
    ['', 401],
    [`Bearer ${error}, acr_values="${'m'.repeat(513)}"`, 401],
  ])('%s with %i is none', (challenge, status) => {
    expect(readStepUpChallenge(answer(challenge, status))).toBeUndefined();
  });

  it('is none where an answer has no challenge at all', () => {
    const silent = new Response(null, { status: 401 });
    expect(readStepUpChallenge(silent)).toBeUndefined();
    expect(isInvalidToken(silent)).toBe(false);
  });

  it('may name methods in 512 characters', () => {
    const methods = 'm'.repeat(512);
    expect(readStepUpChallenge(answer(`Bearer ${error}, acr_values="${methods}"`))).toEqual({
      acrValues: [methods],
      maxAge: undefined,
    });
  });

  it.each([
    [[], ['mfa'], []],
    [['mfa'], [], ['mfa']],
    [['mfa', 'pin'], ['pin'], ['pin']],
    [['mfa'], ['pin'], undefined],
  ])('that names %j asks for no more than the options %j: %j', (acrValues, own, expected) => {
    const demands = narrowDemands({ acrValues, maxAge: 60 }, { acrValues: own });
    expect(demands).toEqual(expected && { acrValues: expected, maxAge: 60 });
  });

  it('is not taken for an invalid token, nor the other way round', () => {
    expect(isInvalidToken(answer(`Bearer ${error}`))).toBe(false);
    expect(isInvalidToken(answer('Bearer error="invalid_token"'))).toBe(true);
    expect(isInvalidToken(answer('Bearer error="invalid_token"', 403))).toBe(false);
    expect(isInvalidToken(answer('Bearer realm="error=invalid_token"'))).toBe(false);
  });
});

describe('a login satisfies', () => {
  const options = { now: () => 10_000_000, clockToleranceSeconds: 30 };
  const satisfies = (claims: object, acrValues: string[], maxAge?: number): boolean =>
    satisfiesDemands({ ...tokensOf().claims, ...claims }, { acrValues, maxAge }, options);

  it.each<[string, object, string[], number | undefined, boolean]>([
    ['a method that it has', { acr: 'mfa' }, ['mfa'], undefined, true],
    ['one of several methods', { acr: 'mfa' }, ['hwk', 'mfa'], undefined, true],
    ['no other method', { acr: 'pwd' }, ['mfa'], undefined, false],
    ['no method without acr', {}, ['mfa'], undefined, false],
    ['an age that it has', { auth_time: 9941 }, [], 60, true],
    ['an age within the clock tolerance', { auth_time: 9910 }, [], 60, true],
    ['no younger age', { auth_time: 9909 }, [], 60, false],
    ['no age without auth_time', {}, [], 60, false],
    ['an age by a clock that is ahead', { auth_time: 10_030 }, [], 60, true],
    ['no age by an auth_time in the future', { auth_time: 10_031 }, [], 60, false],
    ['no age by an auth_time in milliseconds', { auth_time: 10_000_000 }, [], 60, false],
    ['no age by an auth_time that is text', { auth_time: '9999' }, [], 60, false],
    ['a bare demand just after a login', { auth_time: 9970 }, [], undefined, true],
    ['no bare demand later', { auth_time: 9969 }, [], undefined, false],
    ['no half of a demand', { acr: 'mfa', auth_time: 1 }, ['mfa'], 60, false],
  ])('%s', (_what, claims, acrValues, maxAge, expected) => {
    expect(satisfies(claims, acrValues, maxAge)).toBe(expected);
  });
});
