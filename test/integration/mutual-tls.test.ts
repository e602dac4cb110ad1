import { createPrivateKey, X509Certificate } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Certificate, makeCertificateOf } from '../support/certificate.ts';
import { errorCode, json } from '../support/flow.ts';
import {
  type Certificates,
  type MutualTlsFlow,
  type MutualTlsSetup,
  makeCertificates,
  startMutualTlsFlow,
} from '../support/mutual-tls-flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificates: Certificates;
let flow: MutualTlsFlow;

const byAuthority = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'client.example',
};

/** As the OP knows a certificate that nobody has signed. */
function bySelf({ cert }: Certificate): Record<string, unknown> {
  const { publicKey, raw } = new X509Certificate(cert);
  const jwk = publicKey.export({ format: 'jwk' });
  return {
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...jwk, x5c: [raw.toString('base64')] }] },
  };
}

describeWithParts(['openssl'], 'RFC 8705', () => {
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterEach(() => flow.close());

  async function start(setup: MutualTlsSetup): Promise<MutualTlsFlow> {
    flow = await startMutualTlsFlow(certificates, setup);
    return flow;
  }

  const showing = ({ key, cert }: Certificate): NonNullable<MutualTlsSetup['oidc']> => ({
    clientCertificate: { key, cert, ca: certificates.server.cert },
  });

  describe('2.1 tls_client_auth', () => {
    it('signs in by a certificate of a CA that the OP knows', async () => {
      const { browser, baseUrl, op } = await start({ client: byAuthority });
      expect(json(await browser.navigate(`${baseUrl}/private`))).toEqual({ sub: 'ada' });
      expect(op.grants).toMatchObject({ authorization_code: 1, refused: 0 });
    });

    it('signs in by a key that is encrypted, with its passphrase', async () => {
      const { key, cert } = certificates.client;
      const passphrase = 'a passphrase';
      const form = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
      const encrypted = String(createPrivateKey(key).export(form));
      expect(encrypted).toContain('ENCRYPTED PRIVATE KEY');
      const clientCertificate = { key: encrypted, cert, passphrase, ca: certificates.server.cert };
      const { browser, baseUrl } = await start({
        client: byAuthority,
        oidc: { clientCertificate },
      });
      expect(json(await browser.navigate(`${baseUrl}/orders`))).toMatchObject({ sub: 'ada' });
    });

    it('is refused with the same name in a certificate of nobody', async () => {
      const { browser, baseUrl, op } = await start({
        client: byAuthority,
        oidc: showing(certificates.stranger),
      });
      const refused = await browser.navigate(`${baseUrl}/private`);
      expect(errorCode(refused)).toBe('ERR_OIDC_CLIENT_REFUSED');
      expect(op.grants).toMatchObject({ authorization_code: 0 });
    });

    it('is refused for another name', async () => {
      const { browser, baseUrl } = await start({
        client: { ...byAuthority, tls_client_auth_san_dns: 'other.example' },
      });
      expect(errorCode(await browser.navigate(`${baseUrl}/private`))).toBe(
        'ERR_OIDC_CLIENT_REFUSED',
      );
    });
  });

  describe('2.2 self_signed_tls_client_auth', () => {
    const oidc = (certificate: Certificate): NonNullable<MutualTlsSetup['oidc']> => ({
      ...showing(certificate),
      tokenEndpointAuthMethod: 'self_signed_tls_client_auth',
    });

    it('signs in by the certificate that the OP knows', async () => {
      const { stranger } = certificates;
      const { browser, baseUrl } = await start({ client: bySelf(stranger), oidc: oidc(stranger) });
      expect(json(await browser.navigate(`${baseUrl}/private`))).toEqual({ sub: 'ada' });
    });

    it('is refused by another one', async () => {
      const { stranger, client } = certificates;
      const { browser, baseUrl } = await start({ client: bySelf(stranger), oidc: oidc(client) });
      expect(errorCode(await browser.navigate(`${baseUrl}/private`))).toBe(
        'ERR_OIDC_CLIENT_REFUSED',
      );
    });
  });

  describe('3 certificate-bound access tokens', () => {
    it('are taken by an API that sees the certificate, by fetch and behind proxies', async () => {
      const { browser, baseUrl, api } = await start({ client: byAuthority });
      const orders = await browser.navigate(`${baseUrl}/orders`);
      expect(json(orders)).toMatchObject({ sub: 'ada', url: '/orders?page=1' });
      const proxied = await browser.fetch(`${baseUrl}/api/orders`);
      expect(json(proxied)).toMatchObject({ sub: 'ada', url: '/orders' });
      const byOwn = await browser.fetch(`${baseUrl}/own-proxy/orders`);
      expect(json(byOwn)).toMatchObject({ sub: 'ada', url: '/orders' });
      expect(api.calls).toEqual({ accepted: 3, refused: [] });
    });

    it('are worth nothing without it', async () => {
      const { browser, baseUrl, api } = await start({ client: byAuthority });
      await browser.navigate(`${baseUrl}/private`);
      expect(await browser.fetch(`${baseUrl}/stolen/orders`)).toMatchObject({ status: 401 });
      expect(api.calls).toEqual({ accepted: 0, refused: ['no certificate'] });
    });

    it('are renewed by the same certificate', async () => {
      const { browser, baseUrl, op, clock } = await start({ client: byAuthority });
      await browser.navigate(`${baseUrl}/orders`);
      clock.advance(60);
      expect(await browser.fetch(`${baseUrl}/orders`)).toMatchObject({ status: 200 });
      expect(op.grants).toMatchObject({ refresh_token: 1, refused: 0 });
    });

    it('are renewed with the next certificate when the old one was replaced', async () => {
      const next = await makeCertificateOf(certificates.authority, 'client.example');
      const current = { certificate: certificates.client };
      const { browser, baseUrl, op, api } = await start({
        client: byAuthority,
        oidc: {
          clientCertificate: () => ({ ...current.certificate, ca: certificates.server.cert }),
        },
      });
      await browser.navigate(`${baseUrl}/orders`);
      current.certificate = next;
      // The API sees the new one, and a token that is bound to the old.
      expect(await browser.fetch(`${baseUrl}/orders`)).toMatchObject({ status: 200 });
      expect(api.calls).toEqual({ accepted: 2, refused: ['another certificate'] });
      expect(op.grants).toMatchObject({ refresh_token: 1, refused: 0 });
    });

    it('go with any way to authenticate, none included', async () => {
      const { browser, baseUrl } = await start({
        client: { token_endpoint_auth_method: 'none' },
        oidc: { tokenEndpointAuthMethod: 'none' } as NonNullable<MutualTlsSetup['oidc']>,
      });
      expect(json(await browser.navigate(`${baseUrl}/orders`))).toMatchObject({ sub: 'ada' });
    });

    it('are demanded: a token that is not bound ends the login', async () => {
      const { browser, baseUrl } = await start({
        client: { ...byAuthority, tls_client_certificate_bound_access_tokens: false },
      });
      const refused = await browser.navigate(`${baseUrl}/private`);
      expect(errorCode(refused)).toBe('ERR_OIDC_TOKEN_BINDING');
      expect(await browser.fetch(`${baseUrl}/private`)).toMatchObject({ status: 401 });
    });

    it('are demanded of logins from before the option, too: these are not signed in any more', async () => {
      const { browser, baseUrl, startSecond, api } = await start({
        client: { ...byAuthority, tls_client_certificate_bound_access_tokens: false },
        oidc: { certificateBoundAccessTokens: false },
      });
      const binding = await startSecond({ certificateBoundAccessTokens: true });
      const still = await startSecond({ certificateBoundAccessTokens: false });
      await browser.navigate(`${baseUrl}/private`);
      for (const path of ['/private', '/orders', '/api/orders', '/own-proxy/orders']) {
        expect(await browser.fetch(`${binding.baseUrl}${path}`)).toMatchObject({ status: 401 });
      }
      expect(api.calls).toEqual({ accepted: 0, refused: [] });
      expect(await browser.fetch(`${still.baseUrl}/private`)).toMatchObject({ status: 200 });
      await binding.close();
      await still.close();
    });

    it('stay so over refreshes of other processes, but for those that do not demand them', async () => {
      const { browser, baseUrl, startSecond, clock, op } = await start({ client: byAuthority });
      const second = await startSecond({});
      const stopped = await startSecond({ certificateBoundAccessTokens: false });
      await browser.navigate(`${baseUrl}/orders`);
      const statuses: number[] = [];
      for (const { baseUrl: other } of [second, { baseUrl }, stopped, second]) {
        clock.advance(60);
        statuses.push((await browser.fetch(`${other}/orders`)).status);
      }
      // Nobody has looked at what the third has got.
      expect(statuses).toEqual([200, 200, 200, 401]);
      expect(op.grants).toMatchObject({ refresh_token: 3 });
      await second.close();
      await stopped.close();
    });

    it('are not demanded without the option', async () => {
      const { browser, baseUrl } = await start({
        client: { ...byAuthority, tls_client_certificate_bound_access_tokens: false },
        oidc: { certificateBoundAccessTokens: false },
      });
      expect(json(await browser.navigate(`${baseUrl}/private`))).toEqual({ sub: 'ada' });
    });
  });

  it('has a server that is not of the given CA refused', async () => {
    const { browser, baseUrl } = await start({
      client: byAuthority,
      oidc: { clientCertificate: { ...certificates.client, ca: certificates.authority.cert } },
    });
    expect(errorCode(await browser.navigate(`${baseUrl}/private`))).toBe(
      'ERR_OIDC_PROVIDER_UNREACHABLE',
    );
  });
});
