import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { type HybridFlowOptions, hybridFlow } from 'passport-oidc-hybrid';
import { resolveOptions } from '../lib/options/resolve-options.ts';
import { type Certificate, makeCertificate } from './support/certificate.ts';
import { describeWithParts } from './support/parts.ts';

let certificate: Certificate;

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed = generateKeyPairSync('ed25519').privateKey;

const optionsWith = (change: object): HybridFlowOptions =>
  ({
    issuer: 'https://op.example',
    clientId: 'client',
    clientKey: p256,
    clientCertificate: certificate,
    certificateBoundAccessTokens: true,
    baseUrl: 'https://app.example',
    secret: 'a sealing secret that no message may show',
    ...change,
  }) as HybridFlowOptions;

type Row = readonly [option: string, change: object];

/** What neither profile lets through. */
const forbidden: readonly Row[] = [
  ['issuer', { issuer: 'http://localhost:4000' }],
  ['baseUrl', { baseUrl: 'http://localhost:3000' }],
  ['baseUrl', { baseUrl: 'http://127.0.0.1:3000/shop' }],
  ['certificateBoundAccessTokens', { certificateBoundAccessTokens: false }],
  ['tokenEndpointAuthMethod', { clientSecret: 'secret' }],
  [
    'tokenEndpointAuthMethod',
    { tokenEndpointAuthMethod: 'client_secret_basic', clientSecret: 'secret' },
  ],
  ['tokenEndpointAuthMethod', { tokenEndpointAuthMethod: 'none' }],
  ['clientKey', { clientKey: rsa }],
  ['clientKey', { clientKey: p384 }],
  ['idTokenSignedResponseAlg', { idTokenSignedResponseAlg: 'RS256' }],
  ['authorizationSignedResponseAlg', { authorizationSignedResponseAlg: 'RS256' }],
  ['userinfoSignedResponseAlg', { userinfoSignedResponseAlg: 'ES512' }],
  ['clockToleranceSeconds', { clockToleranceSeconds: 61 }],
  ['clockToleranceSeconds', { clockToleranceSeconds: 9 }],
  ['dangerouslyAllowInsecureRequests', { dangerouslyAllowInsecureRequests: true }],
  [
    'requestObject',
    {
      clientSecret: 'a secret of the client that has more than 32 bytes',
      tokenEndpointAuthMethod: 'private_key_jwt',
      requestObject: { signedWith: 'client_secret' },
    },
  ],
];

describeWithParts(['openssl'], 'the option profile', () => {
  beforeAll(async () => {
    certificate = await makeCertificate('client.example');
  });

  it.each([undefined, 'fapi2', 'fapi1-advanced'])('may be %s', (profile) => {
    expect(resolveOptions(optionsWith({ profile })).profile).toBe(profile);
  });

  it.each(['fapi', 'FAPI2', '', 2])('is not %j', (profile) => {
    expect(() => hybridFlow(optionsWith({ profile }))).toThrow(
      expect.objectContaining({ code: 'ERR_OIDC_OPTION_INVALID', option: 'profile' }),
    );
  });

  it.each<Row>([
    ...forbidden,
    ['tokenEndpointAuthMethod', { clientSecret: 'secret', clientKey: undefined }],
    ['responseType', { responseType: 'code id_token' }],
    ['pushedAuthorizationRequests', { pushedAuthorizationRequests: 'offered' }],
    ['pushedAuthorizationRequests', { pushedAuthorizationRequests: 'required' }],
  ])('"fapi2" refuses %s: %#', (option, change) => {
    expect(() => hybridFlow(optionsWith(change))).not.toThrow();
    expect(() => hybridFlow(optionsWith({ ...change, profile: 'fapi2' }))).toThrow(
      expect.objectContaining({
        name: 'OptionsError',
        option,
        message: expect.stringContaining('"fapi2"'),
      }),
    );
  });

  it.each<Row>([
    ...forbidden,
    ['clientKey', { clientSecret: 'secret', clientKey: undefined }],
    ['clientKey', { clientKey: ed }],
    ['responseType', { responseType: 'code id_token token', certificateBoundAccessTokens: false }],
    ['responseType', { responseType: 'code token', certificateBoundAccessTokens: false }],
    ['responseMode', { responseType: 'code', responseMode: 'form_post' }],
    ['requestObject', { requestObject: { lifetimeSeconds: 3571 } }],
  ])('"fapi1-advanced" refuses %s: %#', (option, change) => {
    expect(() => hybridFlow(optionsWith(change))).not.toThrow();
    expect(() => hybridFlow(optionsWith({ ...change, profile: 'fapi1-advanced' }))).toThrow(
      expect.objectContaining({ name: 'OptionsError', option }),
    );
  });

  it('"fapi2" turns on what it demands', () => {
    expect(resolveOptions(optionsWith({ profile: 'fapi2' }))).toMatchObject({
      responseType: 'code',
      pushedAuthorizationRequests: 'always',
      signatureAlgorithms: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
    });
  });

  it('"fapi1-advanced" turns on what it demands', () => {
    const of = (change: object) =>
      resolveOptions(optionsWith({ profile: 'fapi1-advanced', ...change }));
    expect(of({})).toMatchObject({
      responseType: 'code id_token',
      responseMode: undefined,
      requestObject: { key: { alg: 'ES256' } },
      signatureAlgorithms: ['PS256', 'ES256'],
    });
    expect(of({ responseType: 'code' })).toMatchObject({ responseMode: 'jwt' });
  });

  const unsaid = { certificateBoundAccessTokens: undefined };

  it.each([
    ['fapi2', unsaid, { certificateBoundAccessTokens: true, dpop: undefined }],
    [
      'fapi2',
      { ...unsaid, clientCertificate: undefined },
      { certificateBoundAccessTokens: false, dpop: 'ES256' },
    ],
    [
      'fapi2',
      { ...unsaid, dpop: { alg: 'EdDSA' } },
      { certificateBoundAccessTokens: false, dpop: 'EdDSA' },
    ],
    ['fapi2', {}, { certificateBoundAccessTokens: true, dpop: undefined }],
    ['fapi1-advanced', unsaid, { certificateBoundAccessTokens: true, dpop: undefined }],
    [undefined, unsaid, { certificateBoundAccessTokens: false, dpop: undefined }],
  ])('"%s" binds access tokens with %j', (profile, change, expected) => {
    expect(resolveOptions(optionsWith({ profile, ...change }))).toMatchObject(expected);
  });

  it.each([
    ['fapi2', { ...unsaid, dpop: false }, 'certificateBoundAccessTokens'],
    ['fapi2', { certificateBoundAccessTokens: false }, 'certificateBoundAccessTokens'],
    ['fapi1-advanced', { ...unsaid, clientCertificate: undefined }, 'clientCertificate'],
  ])(
    '"%s" refuses what says that they are not to be bound, or gives nothing to bind them to: %j',
    (profile, change, option) => {
      expect(() => hybridFlow(optionsWith({ profile, ...change }))).toThrow(
        expect.objectContaining({ name: 'OptionsError', option }),
      );
    },
  );

  it.each(['code token', 'code id_token token'])(
    'without it, "%s" is refused with tokens that are to be bound, as one goes by the browser',
    (responseType) => {
      const refused = expect.objectContaining({ option: 'responseType' });
      const off = { certificateBoundAccessTokens: false };
      expect(() => hybridFlow(optionsWith({ responseType, ...off }))).not.toThrow();
      expect(() => hybridFlow(optionsWith({ responseType }))).toThrow(refused);
      expect(() => hybridFlow(optionsWith({ responseType, ...off, dpop: true }))).toThrow(refused);
    },
  );

  it.each(['fapi2', 'fapi1-advanced'])('"%s" refuses APIs without TLS', (profile) => {
    const [strict, lax] = [profile, undefined].map((name) =>
      hybridFlow(optionsWith({ profile: name })),
    );
    for (const target of ['http://localhost:4000', 'http://127.0.0.1:4000/v1']) {
      const error = (option: string) => expect.objectContaining({ name: 'OptionsError', option });
      expect(() => lax?.proxy({ target })).not.toThrow();
      expect(() => strict?.proxy({ target })).toThrow(error('proxy.target'));
      expect(() => lax?.requireAuth({ proxied: { to: target } })).not.toThrow();
      expect(() => strict?.requireAuth({ proxied: { to: target } })).toThrow(error('proxied.to'));
    }
    expect(() => strict?.proxy({ target: 'https://localhost:4000' })).not.toThrow();
    expect(() => strict?.requireAuth({ proxied: { to: 'https://localhost' } })).not.toThrow();
  });

  it.each([
    ['fapi2', { clientKey: ed }],
    ['fapi2', { clientKey: { key: rsa, alg: 'PS256' } }],
    ['fapi2', { tokenEndpointAuthMethod: 'tls_client_auth', clientKey: undefined }],
    ['fapi2', { responseMode: 'form_post.jwt', requestObject: {} }],
    ['fapi1-advanced', { clientKey: { key: rsa, alg: 'PS256' } }],
    ['fapi1-advanced', { tokenEndpointAuthMethod: 'self_signed_tls_client_auth' }],
    ['fapi1-advanced', { responseType: 'code', responseMode: 'form_post.jwt' }],
    ['fapi1-advanced', { requestObject: { lifetimeSeconds: 3570 } }],
  ])('"%s" lets through %#', (profile, change) => {
    expect(() => hybridFlow(optionsWith({ profile, ...change }))).not.toThrow();
  });
});
