import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, fetch } from 'undici';
import { examine, type Patient } from '../../lib/doctor/examine.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import {
  type CertifiedOp,
  type CertifiedOpOptions,
  startCertifiedOp,
} from '../support/certified-op.ts';
import { mutualTlsFeature } from '../support/mutual-tls.ts';
import { type Certificates, makeCertificates } from '../support/mutual-tls-flow.ts';
import { describeWithParts } from '../support/parts.ts';

let op: CertifiedOp;
afterEach(() => op.close());

const baseUrl = 'http://localhost:3000';

async function findingsAt(
  changed: Partial<Patient>,
  setup: Partial<CertifiedOpOptions> = {},
): Promise<Finding[]> {
  op = await startCertifiedOp({
    redirectUris: [`${baseUrl}/callback`],
    postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
    ...setup,
  });
  const { issuer, clientId, clientSecret, fetch } = op;
  return examine({ issuer, clientId, clientSecret, baseUrl, fetch, ...changed });
}

const failuresIn = (findings: Finding[]): [about: string, found: string][] =>
  findings.filter(({ verdict }) => verdict === 'fail').map(({ about, found }) => [about, found]);

const examineAt = async (
  ...args: Parameters<typeof findingsAt>
): Promise<[about: string, found: string][]> => failuresIn(await findingsAt(...args));

describe('doctor, at a certified OP', () => {
  it('finds nothing to change', async () => {
    expect(await examineAt({})).toEqual([]);
  });

  it('finds a redirect URI that is not registered', async () => {
    const found = `the OP does not take ${baseUrl}/elsewhere for this client`;
    expect(await examineAt({ callbackPath: '/elsewhere' })).toEqual([['redirect URI', found]]);
  });

  it('finds a client that is not known, by its credentials too', async () => {
    expect(await examineAt({ clientId: 'somebody' })).toEqual([
      ['client', 'the OP does not know the client somebody'],
      ['client', 'the OP refuses its credentials'],
    ]);
  });

  it('finds a secret that is wrong', async () => {
    const wrong = { clientSecret: 'wrong' };
    expect(await examineAt(wrong)).toEqual([['client', 'the OP refuses its credentials']]);
  });
});

describe('doctor, at a certified OP that knows the client by its key', () => {
  const pairs = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const [mine = '', other = ''] = pairs.map(({ privateKey }) =>
    String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  );
  const jwk = { ...pairs[0]?.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
  const demandsPush = {
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  };
  const setup: Partial<CertifiedOpOptions> = {
    client: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
  };
  const byKey = { clientSecret: undefined, clientKey: mine };

  it('finds nothing to change', async () => {
    const findings = await findingsAt(byKey, setup);
    expect(failuresIn(findings)).toEqual([]);
    expect(findings).toContainEqual(expect.objectContaining({ verdict: 'ok', about: 'client' }));
  });

  it('finds another key', async () => {
    const found = 'the OP refuses its credentials';
    expect(await examineAt({ ...byKey, clientKey: other }, setup)).toEqual([['client', found]]);
  });

  it('tries the redirect URI by a pushed request, where the OP demands that', async () => {
    const findings = await findingsAt(byKey, { ...setup, features: demandsPush });
    expect(failuresIn(findings)).toEqual([]);
    const tried = findings.filter(({ verdict }) => verdict === 'ok').map(({ about }) => about);
    expect(tried).toEqual(expect.arrayContaining(['pushed request', 'redirect URI', 'client key']));
  });

  it('finds a redirect URI that is not registered by it, too', async () => {
    const elsewhere = { ...byKey, callbackPath: '/elsewhere' };
    expect(await examineAt(elsewhere, { ...setup, features: demandsPush })).toEqual([
      ['pushed request', expect.stringMatching(/^the OP refuses it: invalid_re/)],
    ]);
  });
});

describeWithParts(['openssl'], 'doctor, at a certified OP that asks for a certificate', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });

  /** Examines a client that shows one of the certificates, by connections that trust the OP's. */
  async function examineWith(name: 'client' | 'stranger', now = Date.now): Promise<Finding[]> {
    const { authority, server } = certificates;
    const ca = server.cert;
    const trusting = new Agent({ connect: { ca } });
    const send = (url: string, init: object): unknown =>
      fetch(url, { dispatcher: trusting, ...init });
    const asks = { ca: authority.cert, requestCert: true, rejectUnauthorized: false };
    try {
      return await findingsAt(
        {
          clientSecret: undefined,
          clientCertificate: { ...certificates[name], ca },
          fetch: send as unknown as typeof globalThis.fetch,
          now,
        },
        {
          host: 'localhost',
          certificate: { ...server, ...asks },
          features: { mTLS: mutualTlsFeature },
          configuration: { clientAuthMethods: ['tls_client_auth'] },
          client: {
            token_endpoint_auth_method: 'tls_client_auth',
            tls_client_auth_san_dns: 'client.example',
          },
        },
      );
    } finally {
      await trusting.destroy();
    }
  }

  it('finds nothing to change where the OP knows it', async () => {
    const findings = await examineWith('client');
    expect(failuresIn(findings)).toEqual([]);
    const tried = findings.filter(({ verdict }) => verdict === 'ok').map(({ about }) => about);
    expect(tried).toEqual(expect.arrayContaining(['client auth', 'certificate', 'client']));
  });

  it('finds one that the OP does not know', async () => {
    const found = 'the OP refuses its credentials';
    expect(failuresIn(await examineWith('stranger'))).toEqual([['client', found]]);
  });

  it('finds one that has expired, or is not good yet', async () => {
    const twoDays = 2 * 24 * 3600 * 1000;
    for (const [offset, found] of [
      [twoDays, /^has expired/],
      [-twoDays, /^is not good yet/],
    ] as const) {
      const failures = failuresIn(await examineWith('client', () => Date.now() + offset));
      expect(failures).toContainEqual(['certificate', expect.stringMatching(found)]);
      await op.close();
    }
  });
});
