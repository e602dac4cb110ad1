import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { tenantFlows } from 'passport-oidc-hybrid';
import { makeCertificate } from '../support/certificate.ts';
import { sealingSecret } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

describe('RFC 9700 4.4 mix-up of tenants at one redirect URI', () => {
  const tenant = (id: string, changed: object = {}) => ({
    id,
    issuer: `https://${id}.example`,
    clientId: 'client',
    clientSecret: 'a secret of this client',
    baseUrl: 'https://app.example',
    ...changed,
  });
  const both = (common: object, other: object = {}, each: object = {}) => {
    const oidc = tenantFlows({ secret: sealingSecret, resolveClient: () => undefined, ...common });
    oidc.flowFor(tenant('ada', each));
    return () => oidc.flowFor(tenant('bob', { ...each, ...other }));
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

  const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const byKey = { clientSecret: undefined, clientKey };

  it('cannot be with FAPI 2.0, which demands the parameter iss', () => {
    const fapi2 = { ...byKey, profile: 'fapi2' };
    expect(both({}, {}, fapi2)).not.toThrow();
    expect(both({ responseType: 'code' }, {}, byKey)).toThrow('redirect URI');
  });

  describeWithParts(['openssl'], 'with FAPI 1.0 Advanced', () => {
    it('is refused in any case, as each OP has a redirect URI of its own', async () => {
      const clientCertificate = await makeCertificate('client.example');
      const fapi1 = { ...byKey, clientCertificate, profile: 'fapi1-advanced' };
      expect(both({}, {}, fapi1)).toThrow(expect.objectContaining({ option: 'baseUrl' }));
      expect(both({}, { baseUrl: 'https://bob.example' }, fapi1)).not.toThrow();
      expect(both({}, {}, { ...fapi1, profile: undefined })).not.toThrow();
    });
  });
});
