import { describe, expect, it } from '@jest/globals';
import { tenantFlows } from 'passport-oidc-hybrid';
import { sealingSecret } from '../support/flow.ts';

describe('RFC 9700 4.4 mix-up of tenants at one redirect URI', () => {
  const tenant = (id: string, changed: object = {}) => ({
    id,
    issuer: `https://${id}.example`,
    clientId: 'client',
    clientSecret: 'a secret of this client',
    baseUrl: 'https://app.example',
    ...changed,
  });
  const both = (common: object, other: object = {}) => {
    const oidc = tenantFlows({ secret: sealingSecret, resolveClient: () => undefined, ...common });
    oidc.flowFor(tenant('ada'));
    return () => oidc.flowFor(tenant('bob', other));
  };

  it.each([
    [{ responseType: 'code' }, {}],
    [{ responseType: 'code token' }, {}],
    [{ responseType: 'code' }, { baseUrl: 'https://app.example/' }],
    [{}, { responseType: 'code' }],
  ])('is refused where an answer does not say whose it is: %j, %j', (common, other) => {
    expect(both(common, other)).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID', option: 'baseUrl' }),
    );
  });

  it.each([
    [{}, {}],
    [{ responseType: 'code', responseMode: 'jwt' }, {}],
    [{ responseType: 'code' }, { baseUrl: 'https://bob.example' }],
    [{ responseType: 'code' }, { issuer: 'https://ada.example' }],
    [{ responseType: 'code' }, { id: 'ada', issuer: 'https://new.example' }],
  ])('cannot be where it does, or where there is no other: %j, %j', (common, other) => {
    expect(both(common, other)).not.toThrow();
  });
});
