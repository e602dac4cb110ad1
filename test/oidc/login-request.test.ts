import { describe, expect, it } from '@jest/globals';
import type { LoginOptions } from 'passport-oidc-hybrid';
import {
  type LoginRequest,
  readLoginQuery,
  resolveLoginOptions,
} from '../../lib/oidc/login-request.ts';

const nothing: LoginRequest = {
  maxAge: undefined,
  acrValues: [],
  organization: undefined,
  parameters: {},
};

describe('what an application says about one login', () => {
  it.each<[LoginOptions, Partial<LoginRequest>]>([
    [{}, {}],
    [{ maxAge: 0 }, { maxAge: 0 }],
    [{ maxAge: undefined }, {}],
    [{ acrValues: 'gold  silver' }, { acrValues: ['gold', 'silver'] }],
    [{ prompt: 'login', loginHint: 'ada' }, { parameters: { prompt: 'login', login_hint: 'ada' } }],
  ])('%j is taken', (login, expected) => {
    expect(resolveLoginOptions(login)).toEqual({ ...nothing, ...expected });
  });

  it.each([
    { maxAge: -1 },
    { maxAge: 1.5 },
    { maxAge: '60' },
    { maxAge: null },
    { prompt: '' },
    { prompt: ' login' },
    { prompt: 'login ' },
    { prompt: 7 },
    { organization: ['acme'] },
  ])('%j is a mistake', (login) => {
    expect(() => resolveLoginOptions(login as LoginOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID' }),
    );
  });
});

describe('the query of the login route', () => {
  const read = (name: string, value: string): LoginRequest =>
    readLoginQuery([[name, value]], ['login_hint', 'organization'], nothing, {
      idToken: {},
      userinfo: {},
    });

  it.each([
    ['login_hint', 2048],
    ['organization', 256],
  ])('has a bound for %s: %i characters', (name, length) => {
    const good = read(name, 'x'.repeat(length));
    expect(good.organization ?? good.parameters['login_hint']).toHaveLength(length);
    expect(() => read(name, 'x'.repeat(length + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_LOGIN_PARAMETER' }),
    );
  });
});
