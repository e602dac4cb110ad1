import { describe, expect, it } from '@jest/globals';
import { errorCode, json } from '../../support/flow.ts';
import { makeCertificates, startMutualTlsFlow } from '../../support/mutual-tls-flow.ts';
import { describeWithParts } from '../../support/parts.ts';

const client = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'client.example',
};

describeWithParts(['openssl'], 'RFC 8705 5', () => {
  describe('oidcc-client-test-mtls-endpoint-aliases', () => {
    it('shows the certificate at the aliases, for tokens and revocation', async () => {
      const flow = await startMutualTlsFlow(await makeCertificates(), { client, hasAliases: true });
      const { browser, baseUrl, aliased, op } = flow;
      expect(json(await browser.navigate(`${baseUrl}/private`))).toEqual({ sub: 'ada' });
      await browser.navigate({ method: 'GET', url: `${baseUrl}/logout`, from: baseUrl });
      expect(aliased.slice(0, 2)).toEqual(['/token', '/token/revocation']);
      expect(op.grants).toMatchObject({ authorization_code: 1, refused: 0 });
      await flow.close();
    });

    it('is refused there with a certificate of nobody', async () => {
      const certificates = await makeCertificates();
      const { stranger, server } = certificates;
      const flow = await startMutualTlsFlow(certificates, {
        client,
        hasAliases: true,
        oidc: { clientCertificate: { ...stranger, ca: server.cert } },
      });
      const refused = await flow.browser.navigate(`${flow.baseUrl}/private`);
      expect(errorCode(refused)).toBe('ERR_OIDC_CLIENT_REFUSED');
      expect(flow.aliased).toEqual(['/token']);
      await flow.close();
    });
  });
});
