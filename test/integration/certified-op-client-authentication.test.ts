import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import type { HybridFlowOptions } from 'passport-oidc-hybrid';
import { type Arrival, Browser } from '../support/browser.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import { errorCode, json } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificate: Certificate;
let flow: CertifiedFlow;

const pair = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ed: () => generateKeyPairSync('ed25519'),
};
const known = { p256: pair.p256(), rsa: pair.rsa(), ed: pair.ed() };

interface Way {
  /** Options of the client. */
  readonly oidc: object;
  /** What the OP knows of it. */
  readonly client?: Readonly<Record<string, unknown>>;
}

const secret = (tokenEndpointAuthMethod: string, more: object = {}): Way => ({
  oidc: { tokenEndpointAuthMethod, ...more },
  client: { token_endpoint_auth_method: tokenEndpointAuthMethod },
});

function key(
  name: keyof typeof known,
  alg: string,
  privateKey: KeyObject = known[name].privateKey,
): Way {
  const jwk = { ...known[name].publicKey.export({ format: 'jwk' }), alg, use: 'sig' };
  return {
    oidc: {
      clientSecret: undefined,
      clientKey: { key: privateKey, alg },
      tokenEndpointAuthMethod: 'private_key_jwt',
    },
    client: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [jwk] },
    },
  };
}

const clientSecret = 'another secret, of thirty-two bytes or more';

/** How it proves itself, and how it fails to by one change. */
const ways: [name: string, right: Way, wrong: Way][] = [
  ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(
    (name): [string, Way, Way] => [name, secret(name), secret(name, { clientSecret })],
  ),
  ['private_key_jwt by ES256', key('p256', 'ES256'), key('p256', 'ES256', pair.p256().privateKey)],
  ['private_key_jwt by PS256', key('rsa', 'PS256'), key('rsa', 'PS256', pair.rsa().privateKey)],
  ['private_key_jwt by RS256', key('rsa', 'RS256'), key('rsa', 'RS256', pair.rsa().privateKey)],
  ['private_key_jwt by EdDSA', key('ed', 'EdDSA'), key('ed', 'EdDSA', pair.ed().privateKey)],
  [
    'none',
    secret('none', { clientSecret: undefined }),
    { ...secret('none', { clientSecret: undefined }), client: {} },
  ],
];

async function signIn({ oidc, client = {} }: Way): Promise<Arrival> {
  flow = await startCertifiedFlow({
    certificate,
    oidc: oidc as Partial<HybridFlowOptions>,
    op: {
      client,
      configuration: {
        enabledJWA: {
          clientAuthSigningAlgValues: ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA'],
        },
      },
    },
  });
  const browser = Object.assign(new Browser(), { trusts: certificate.cert });
  return browser.navigate(`${flow.baseUrl}/profile`);
}

describeWithParts(['openssl'], 'how a client proves itself at a certified OP, over TLS', () => {
  beforeAll(async () => {
    certificate = await makeCertificate('localhost', '127.0.0.1');
  });
  afterEach(() => flow.close());

  it.each(ways)('%s: the login succeeds', async (_name, right) => {
    expect(json(await signIn(right))).toMatchObject({ sub: 'ada' });
    expect(flow.op.grants).toMatchObject({ authorization_code: 1, refused: 0 });
  });

  it.each(ways)('%s: another one gets no token', async (_name, _right, wrong) => {
    const refused = await signIn(wrong);
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
    expect(flow.op.grants).toMatchObject({ authorization_code: 0, refused: 1 });
  });

  it('by another method than the OP knows it by, it gets no token', async () => {
    const { oidc } = secret('client_secret_post');
    const refused = await signIn({ ...secret('client_secret_jwt'), oidc });
    expect([refused.status, errorCode(refused)]).toEqual([502, 'ERR_OIDC_CLIENT_REFUSED']);
  });
});
