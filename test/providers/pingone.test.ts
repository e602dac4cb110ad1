import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import {
  hybridFlow,
  type PingOneOptions,
  type PingOneRegion,
  pingOne,
  pingOneLoginHintToken,
} from 'passport-oidc-hybrid';

const environmentId = '0f1e2d3c-4b5a-4678-9abc-def012345678';
const clientSecret = 'a client secret, of more than 32 bytes';
const given = {
  environmentId,
  clientId: 'client',
  clientSecret,
  baseUrl: 'https://app.example',
  secret: 'a sealing secret of 32 characters',
};

describe('pingOne()', () => {
  it.each([
    [{}, `https://auth.pingone.com/${environmentId}/as`],
    [{ region: 'ca' }, `https://auth.pingone.ca/${environmentId}/as`],
    [{ region: 'eu' }, `https://auth.pingone.eu/${environmentId}/as`],
    [{ region: 'asia' }, `https://auth.pingone.asia/${environmentId}/as`],
    [{ region: 'sg' }, `https://auth.pingone.sg/${environmentId}/as`],
    [{ region: 'com.au' }, `https://auth.pingone.com.au/${environmentId}/as`],
    [
      { environmentId: undefined, customDomain: 'auth.shop.example' },
      'https://auth.shop.example/as',
    ],
    [{ issuer: 'https://elsewhere.example/as' }, 'https://elsewhere.example/as'],
  ] as [Partial<PingOneOptions>, string][])('%j is at %s', (place, issuer) => {
    const options = pingOne({ ...given, ...place } as PingOneOptions);
    expect(options.issuer).toBe(issuer);
    expect(() => hybridFlow(options)).not.toThrow();
  });

  it.each([
    ['environmentId', { environmentId: undefined }],
    ['environmentId', { environmentId: 'my-environment' }],
    ['environmentId', { environmentId: `${environmentId}/as` }],
    ['region', { region: 'mars' as PingOneRegion }],
    ['customDomain', { customDomain: 'auth.shop.example' }],
    ['customDomain', { environmentId: undefined, customDomain: 'https://auth.shop.example' }],
  ])('names %s when it is wrong', (option, wrong) => {
    expect(() => pingOne({ ...given, ...wrong } as PingOneOptions)).toThrow(
      expect.objectContaining({ name: 'OptionsError', option }),
    );
  });

  it.each([
    ['environmentId', ''],
    ['region', 'us'],
    ['customDomain', 'https://auth.shop.example'],
  ])('says what it found for %s', (option, found) => {
    const place = option === 'customDomain' ? {} : { environmentId };
    const wrong = { ...given, environmentId: undefined, ...place, [option]: found };
    expect(() => pingOne(wrong as PingOneOptions)).toThrow(`found ${JSON.stringify(found)}`);
  });

  it.each(['prompt=login', ['login'], null])('refuses authorizationParams %j', (params) => {
    const wrong = { ...given, authorizationParams: params } as unknown as PingOneOptions;
    expect(() => hybridFlow(pingOne(wrong))).toThrow(
      expect.objectContaining({ name: 'OptionsError', option: 'authorizationParams' }),
    );
  });

  it('gives way to the application', () => {
    const options = pingOne({
      ...given,
      requestObject: { typ: 'other', alg: 'HS512' },
      mobilePayload: 'a',
      authorizationParams: { mobilePayload: 'b' },
    });
    expect(options).toMatchObject({
      requestObject: { typ: 'other', alg: 'HS512' },
      authorizationParams: { mobilePayload: 'b' },
    });
    expect(pingOne({ ...given, requestObject: {} }).requestObject).toEqual({ typ: 'JWT' });
  });
});

describe('pingOneLoginHintToken()', () => {
  const now = 1_800_000_000_000;

  it('says who signs in, where, and for how long', async () => {
    const token = await pingOneLoginHintToken(
      { ...given, region: 'eu', now: () => now },
      {
        subject: 'ada',
      },
    );
    const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(clientSecret), {
      currentDate: new Date(now),
    });
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(payload).toEqual({
      iss: 'client',
      sub: 'ada',
      aud: `https://auth.pingone.eu/${environmentId}/as`,
      iat: 1_800_000_000,
      exp: 1_800_000_300,
    });
  });

  it.each([
    ['subject', { subject: '' }, {}],
    ['subject', { subject: 'client' }, {}],
    ['subject', { subject: 'CLIENT' }, {}],
    ['lifetimeSeconds', { subject: 'ada', lifetimeSeconds: 0 }, {}],
    ['lifetimeSeconds', { subject: 'ada', lifetimeSeconds: 3601 }, {}],
    ['lifetimeSeconds', { subject: 'ada', lifetimeSeconds: '300' as never }, {}],
    ['alg', { subject: 'ada', alg: 'none' as never }, {}],
    ['alg', { subject: 'ada', alg: 'RS256' as never }, {}],
    ['clientSecret', { subject: 'ada' }, { clientSecret: 'short' }],
  ])('names %s when it is wrong', (option, hint, change) => {
    expect(() => pingOneLoginHintToken({ ...given, ...change }, hint)).toThrow(
      expect.objectContaining({ name: 'OptionsError', option }),
    );
  });
});
