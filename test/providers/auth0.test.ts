import { describe, expect, it } from '@jest/globals';
import { type Auth0Options, auth0, hybridFlow } from 'passport-oidc-hybrid';

const given: Auth0Options = {
  domain: 'tenant.eu.auth0.com',
  clientId: 'client',
  clientSecret: 'a client secret',
  baseUrl: 'https://app.example',
  secret: 'a sealing secret of 32 characters',
};

describe('auth0()', () => {
  it('makes options that hybridFlow() takes, with the issuer to the letter', () => {
    expect(auth0(given).issuer).toBe('https://tenant.eu.auth0.com/');
    expect(() => hybridFlow(auth0(given))).not.toThrow();
  });

  it.each([
    'https://tenant.eu.auth0.com',
    'tenant.eu.auth0.com/',
    'tenant',
    '',
    undefined,
    'a b.c',
  ])('refuses the domain %j', (domain) => {
    expect(() => auth0({ ...given, domain: domain as string })).toThrow(
      expect.objectContaining({ name: 'OptionsError', option: 'domain' }),
    );
  });

  it('says what it found in place of a domain, and asks for the environment variable', () => {
    expect(() => auth0({ ...given, domain: '' })).toThrow(/environment variable.*; found ""$/);
  });

  it('gives way to every option of the application, and to none that is undefined', () => {
    const endSessionUrl = (): undefined => undefined;
    const own = {
      issuer: 'https://login.shop.example/',
      loginParams: ['ui_locales'],
      allowedOrganizations: ['org_a'],
      endSessionUrl,
    };
    expect(auth0({ ...given, ...own })).toMatchObject(own);
    const absent = { issuer: undefined, loginParams: undefined, allowedOrganizations: undefined };
    expect(auth0({ ...given, ...absent })).toMatchObject({
      issuer: 'https://tenant.eu.auth0.com/',
      loginParams: ['invitation', 'organization'],
      allowedOrganizations: expect.any(Function),
    });
  });

  it('names an option that nobody knows', () => {
    const wrong = { ...given, conection: 'github' } as Auth0Options;
    expect(() => hybridFlow(auth0(wrong))).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_UNKNOWN', option: 'conection' }),
    );
  });

  it('gives a returnTo with the state to /v2/logout', () => {
    const url = auth0({ ...given, logout: 'v2', federated: true }).endSessionUrl?.({
      url: 'https://tenant.eu.auth0.com/oidc/logout',
      clientId: 'client',
      idTokenHint: 'an ID Token',
      postLogoutRedirectUri: 'https://app.example/logout/callback',
      state: 'x y',
    });
    expect(url).toBe(
      'https://tenant.eu.auth0.com/v2/logout?client_id=client&returnTo=https%3A%2F%2Fapp.example%2Flogout%2Fcallback%3Fstate%3Dx%2By&federated',
    );
  });
});
