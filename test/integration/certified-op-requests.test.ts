import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CommonOptions } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';

let flow: CertifiedFlow;
afterEach(() => flow.close());

const keyPairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed: generateKeyPairSync('ed25519'),
};

const requiresPush = {
  pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
};
const requiresSignature = { requestObjects: { enabled: true, requireSignedRequestObject: true } };

type KeyName = keyof typeof keyPairs;
type Alg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

/** An OP that knows the public key, and authenticates the client by it. */
function startWithKey(
  alg: Alg,
  name: KeyName,
  features: Record<string, unknown>,
  oidc: Partial<CommonOptions> = {},
  publishes: KeyName = name,
): Promise<CertifiedFlow> {
  const jwk = { ...keyPairs[publishes].publicKey.export({ format: 'jwk' }), alg, use: 'sig' };
  return startCertifiedFlow({
    oidc: {
      clientKey: { key: keyPairs[name].privateKey, alg },
      tokenEndpointAuthMethod: 'private_key_jwt',
      ...oidc,
    } as Partial<CommonOptions>,
    op: {
      features,
      client: {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: alg,
        jwks: { keys: [jwk] },
        ...('requestObjects' in features ? { request_object_signing_alg: alg } : {}),
      },
      configuration: {
        enabledJWA: {
          clientAuthSigningAlgValues: [alg],
          requestObjectSigningAlgValues: [alg],
        },
      },
    },
  });
}

const signIn = () => new Browser().navigate(`${flow.baseUrl}/profile`);

describe('RFC 9126 at a certified OP that takes pushed requests only', () => {
  it.each(['code', 'code id_token', 'code id_token token'] as const)('"%s"', async (type) => {
    flow = await startCertifiedFlow({
      oidc: { responseType: type },
      op: { features: requiresPush },
    });
    const arrival = await signIn();
    expect(arrival.status).toBe(200);
    expect(json(arrival)).toMatchObject({ sub: 'ada' });
    const atOp = arrival.history.find(({ url }) => url.startsWith(`${flow.op.issuer}/auth?`));
    expect([...new URL(atOp?.url ?? 'none:').searchParams.keys()]).toEqual([
      'client_id',
      'request_uri',
    ]);
  });

  it('with client authentication by a key', async () => {
    flow = await startWithKey('ES256', 'p256', requiresPush);
    expect(json(await signIn())).toMatchObject({ sub: 'ada' });
  });

  it.each([
    ['offered', true, 200, undefined],
    ['always', true, 200, undefined],
    ['offered', false, 200, undefined],
    ['always', false, 502, 'ERR_OIDC_METADATA'],
  ] as const)(
    'by the option "%s", at one that takes others too: %s',
    async (wanted, isOffered, status, code) => {
      flow = await startCertifiedFlow({
        oidc: { pushedAuthorizationRequests: wanted },
        op: { features: { pushedAuthorizationRequests: { enabled: isOffered } } },
      });
      const arrival = await signIn();
      expect([arrival.status, errorCode(arrival)]).toEqual([status, code]);
      const atOp = arrival.history.find(({ url }) => url.startsWith(`${flow.op.issuer}/auth?`));
      expect(atOp?.url.includes('request_uri=') ?? false).toBe(isOffered);
    },
  );

  it('is refused with another client secret, before anybody is sent away', async () => {
    flow = await startCertifiedFlow({
      oidc: { clientSecret: 'another secret' },
      op: { features: requiresPush },
    });
    const refused = await signIn();
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
    expect(refused.history).toHaveLength(1);
  });

  it('is told what the OP refuses', async () => {
    flow = await startCertifiedFlow({
      oidc: { callbackPath: '/elsewhere' },
      op: { features: requiresPush },
    });
    const refused = await signIn();
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_PAR_REFUSED']);
  });
});

describe('RFC 9101 at a certified OP that takes signed requests only', () => {
  const algorithms: [Alg, KeyName][] = [
    ['RS256', 'rsa'],
    ['PS256', 'rsa'],
    ['ES256', 'p256'],
    ['EdDSA', 'ed'],
  ];

  it.each(algorithms)('signed by %s, by value', async (alg, name) => {
    flow = await startWithKey(alg, name, requiresSignature, { requestObject: {} });
    expect(json(await signIn())).toMatchObject({ sub: 'ada' });
  });

  it.each(algorithms)('signed by %s, and pushed', async (alg, name) => {
    const features = { ...requiresSignature, ...requiresPush };
    flow = await startWithKey(alg, name, features, { requestObject: {} });
    expect(json(await signIn())).toMatchObject({ sub: 'ada' });
  });

  it('is refused by another key', async () => {
    const features = { ...requiresSignature, ...requiresPush };
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const clientKey = { key: other.privateKey, alg: 'ES256' };
    const oidc = { requestObject: {}, clientKey } as unknown as Partial<CommonOptions>;
    flow = await startWithKey('ES256', 'p256', features, oidc);
    const refused = await signIn();
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
  });

  it('is refused unsigned', async () => {
    flow = await startWithKey('ES256', 'p256', requiresSignature);
    const refused = await signIn();
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_OP_ERROR']);
  });
});
