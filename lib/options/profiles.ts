import { OptionsError } from '../errors.ts';
import {
  type HybridFlowOptions,
  type Profile,
  type ResolvedOptions,
  type SignatureAlgorithm,
  signatureAlgorithms,
} from '../options.ts';
import { readOneOf } from './option-values.ts';

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` */
export function readProfile({ profile }: HybridFlowOptions): Profile | undefined {
  return readOneOf('profile', profile, ['fapi2', 'fapi1-advanced']);
}

/** FAPI 2.0 5.4.1, FAPI 1.0 Advanced 8.6. */
const algorithmsOf: Readonly<Record<Profile, readonly SignatureAlgorithm[]>> = {
  fapi2: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
  'fapi1-advanced': ['PS256', 'ES256'],
};

/** What the OP may sign with; everything that is known without a profile. */
export function algorithmsOfProfile(profile: Profile | undefined): readonly SignatureAlgorithm[] {
  return profile === undefined ? signatureAlgorithms : algorithmsOf[profile];
}

/** The options with what a profile demands in the place of what was left out. */
export function withProfile(
  options: HybridFlowOptions,
  profile: Profile | undefined,
): HybridFlowOptions {
  const { responseType, responseMode, pushedAuthorizationRequests, requestObject } = options;
  const { dpop, clientCertificate, certificateBoundAccessTokens } = options;
  switch (profile) {
    case undefined:
      return options;
    case 'fapi2':
      return {
        ...options,
        responseType: responseType ?? 'code',
        pushedAuthorizationRequests: pushedAuthorizationRequests ?? 'always',
        ...(dpop === undefined && certificateBoundAccessTokens === undefined
          ? bindingBy(clientCertificate)
          : {}),
      };
    case 'fapi1-advanced':
      return {
        ...options,
        responseMode: responseMode ?? (responseType === 'code' ? 'jwt' : undefined),
        requestObject: requestObject ?? { signedWith: 'client_key' },
        certificateBoundAccessTokens: certificateBoundAccessTokens ?? true,
      };
  }
}

/** FAPI 2.0 5.3.3.1 (1): by the certificate where there is one, else by a key of each login. */
function bindingBy(
  clientCertificate: HybridFlowOptions['clientCertificate'],
): Pick<HybridFlowOptions, 'dpop' | 'certificateBoundAccessTokens'> {
  return clientCertificate === undefined ? { dpop: true } : { certificateBoundAccessTokens: true };
}

type Rule = readonly [option: string, isMet: (options: ResolvedOptions) => boolean, wanted: string];

/** FAPI 2.0 5.3.3.1 (2), FAPI 1.0 Advanced 5.2.3 (with 5.2.2 (14)). */
const strongMethods: readonly unknown[] = [
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
];

const ofBoth: readonly Rule[] = [
  [
    'issuer',
    // FAPI 2.0 5.2.2, FAPI 1.0 Baseline 7.1.
    ({ issuer }) => new URL(issuer).protocol === 'https:',
    'https, on this machine too',
  ],
  [
    'baseUrl',
    // FAPI 2.0 5.3.2.2, FAPI 1.0 Baseline 5.2.2. Loopback is for native applications only, which this is not.
    ({ isSecure }) => isSecure,
    'https, on this machine too, as the redirect URI begins with it',
  ],
  [
    'tokenEndpointAuthMethod',
    ({ tokenEndpointAuthMethod: method, clientSecret, clientKeys }) =>
      strongMethods.includes(method) ||
      (method === undefined && clientSecret === undefined && clientKeys.length > 0),
    '"private_key_jwt", "tls_client_auth" or "self_signed_tls_client_auth"',
  ],
  [
    'clientKey',
    ({ clientKeys, signatureAlgorithms: allowed }) =>
      clientKeys.every(({ alg }) => allowed.includes(alg)),
    'a key whose "alg" the profile knows: PS256 or ES256, in FAPI 2.0 also EdDSA',
  ],
  [
    'requestObject',
    ({ requestObject, signatureAlgorithms: allowed }) =>
      requestObject === undefined || (allowed as readonly string[]).includes(requestObject.key.alg),
    'signed with a "clientKey", by an algorithm that the profile knows',
  ],
  ...(
    [
      'idTokenSignedResponseAlg',
      'authorizationSignedResponseAlg',
      'userinfoSignedResponseAlg',
    ] as const
  ).map(
    (name): Rule => [
      name,
      ({ [name]: alg, signatureAlgorithms: allowed }) => alg === undefined || allowed.includes(alg),
      'an algorithm that the profile knows',
    ],
  ),
  [
    'clockToleranceSeconds',
    // FAPI 2.0 5.3.2.1 (13): 10 seconds at least, never more than 60.
    ({ clockToleranceSeconds: seconds }) => seconds >= 10 && seconds <= 60,
    'from 10 to 60',
  ],
  [
    'dangerouslyAllowInsecureRequests',
    ({ allowInsecureRequests }) => !allowInsecureRequests,
    'absent: all goes over TLS',
  ],
];

const rules: Readonly<Record<Profile, readonly Rule[]>> = {
  fapi2: [
    ['responseType', ({ responseType }) => responseType === 'code', '"code"'],
    [
      'pushedAuthorizationRequests',
      ({ pushedAuthorizationRequests: pushed }) => pushed === 'always',
      '"always"',
    ],
    ...ofBoth,
    [
      'certificateBoundAccessTokens',
      ({ certificateBoundAccessTokens: isBound, dpop }) => isBound || dpop !== undefined,
      'true, or there has to be "dpop": access tokens are bound to this client',
    ],
  ],
  'fapi1-advanced': [
    [
      'responseType',
      ({ responseType }) => responseType === 'code id_token' || responseType === 'code',
      '"code id_token", or "code" with a "responseMode" that is a JWT',
    ],
    [
      'responseMode',
      ({ responseType, responseMode }) =>
        responseType !== 'code' || /(^|\.)jwt$/.test(responseMode ?? ''),
      'one with "jwt" with the response type "code"',
    ],
    ...ofBoth,
    [
      'requestObject',
      // FAPI 1.0 Advanced 5.2.2 (13): exp is 60 minutes after nbf at most, which is earlier by the tolerance.
      ({ requestObject, clockToleranceSeconds: tolerance }) =>
        requestObject === undefined || requestObject.lifetimeSeconds + tolerance <= 3600,
      'good for 60 minutes at most, "clockToleranceSeconds" included',
    ],
    [
      'certificateBoundAccessTokens',
      ({ certificateBoundAccessTokens: isBound }) => isBound,
      'true: access tokens are bound to the certificate of this client',
    ],
  ],
};

/**
 * Refuses what a profile forbids.
 *
 * @see {@link https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.3 FAPI 2.0 5.3.3}
 * @see {@link https://openid.net/specs/openid-financial-api-part-2-1_0.html#section-5.2.3 FAPI 1.0 Advanced 5.2.3}
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
export function checkProfile(options: ResolvedOptions): void {
  const { profile } = options;
  if (profile === undefined) return;
  const broken = rules[profile].find(([, isMet]) => !isMet(options));
  if (broken === undefined) return;
  const [option, , wanted] = broken;
  throw new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    option,
    `"${option}" must be ${wanted}, as the "profile" "${profile}" demands`,
  );
}
