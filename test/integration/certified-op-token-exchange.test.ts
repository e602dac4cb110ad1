import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Provider } from 'oidc-provider';
import type { HybridFlow, HybridFlowOptions, TokenTarget } from 'passport-oidc-hybrid';
import { Browser } from '../support/browser.ts';
import { type CertifiedFlow, startCertifiedFlow } from '../support/certified-flow.ts';
import {
  addExchangeGrant,
  type ExchangeOddities,
  exchangingClient,
} from '../support/exchange-grant.ts';
import { errorCode, json } from '../support/flow.ts';
import { shownCertificate } from '../support/mutual-tls.ts';
import {
  type Certificates,
  type MutualTlsFlow,
  makeCertificates,
  startMutualTlsFlow,
} from '../support/mutual-tls-flow.ts';
import { describeWithParts } from '../support/parts.ts';

const downstream = 'https://api.example';
let certificates: Certificates;

interface Setup {
  oidc?: Partial<HybridFlowOptions>;
  target?: Omit<TokenTarget, 'exchange'>;
  client?: Readonly<Record<string, unknown>>;
  /** `undefined`: an OP that knows no such grant. */
  oddities?: ExchangeOddities | undefined;
  features?: Readonly<Record<string, unknown>>;
}

const refused = (visit: { status: number; text: string }) => [visit.status, errorCode(visit)];

describeWithParts(['openssl'], 'RFC 8693 at a certified OP, over TLS', () => {
  beforeAll(async () => {
    certificates = await makeCertificates();
  });

  describe('for a login with bearer tokens', () => {
    let flow: CertifiedFlow;
    let provider: Provider | undefined;
    afterEach(() => flow.close());

    async function start({
      oidc,
      target,
      client = exchangingClient,
      ...op
    }: Setup): Promise<Browser> {
      const oddities = 'oddities' in op ? op.oddities : {};
      flow = await startCertifiedFlow({
        certificate: certificates.server,
        oidc: { resource: undefined, ...oidc } as Partial<HybridFlowOptions>,
        op: {
          client,
          features: op.features ?? {},
          extend(made) {
            provider = made;
            if (oddities !== undefined) addExchangeGrant(made, [downstream], oddities);
          },
        },
        routes(app, { requireAuth, errorHandler }: HybridFlow) {
          app.get('/own', requireAuth(), async (req, res) => {
            res.json(await req.oidc.accessToken());
          });
          app.get('/behind', requireAuth(), async (req, res) => {
            res.json(await req.oidc.exchange(target ?? { resource: downstream }));
          });
          app.use(errorHandler());
        },
      });
      const browser = Object.assign(new Browser(), { trusts: certificates.server.cert });
      expect(await browser.navigate(`${flow.baseUrl}/own`)).toMatchObject({ status: 200 });
      return browser;
    }

    /** Nothing has come of it, and the login is what it was. */
    async function expectRefusal(browser: Browser, status: number, code: string): Promise<void> {
      const own = json(await browser.fetch(`${flow.baseUrl}/own`));
      expect(refused(await browser.fetch(`${flow.baseUrl}/behind`))).toEqual([status, code]);
      expect(json(await browser.fetch(`${flow.baseUrl}/own`))).toEqual(own);
      expect(flow.op.grants).toMatchObject({ authorization_code: 1, refresh_token: 0 });
    }

    it('gives another token, for the API behind and nobody else', async () => {
      const browser = await start({});
      const { value: own } = json(await browser.fetch(`${flow.baseUrl}/own`));
      const { value, tokenType } = json(await browser.fetch(`${flow.baseUrl}/behind`));
      expect(tokenType).toBe('Bearer');
      expect(value).not.toBe(own);
      expect(decodeJwt(String(value))).toMatchObject({ aud: downstream, sub: 'ada' });
    });

    it.each<[string, Setup, number, string]>([
      [
        'an API that it does not know',
        { target: { resource: 'https://elsewhere.example' } },
        502,
        'TARGET_REFUSED',
      ],
      [
        'a token of a kind that it does not give',
        { target: { resource: downstream, requestedTokenType: 'jwt' } },
        502,
        'EXCHANGE_REFUSED',
      ],
      ['a client that may not exchange', { client: {} }, 502, 'EXCHANGE_REFUSED'],
      [
        'any client, as it knows no such grant',
        { client: {}, oddities: undefined },
        502,
        'EXCHANGE_REFUSED',
      ],
    ])('is refused by it for %s', async (_what, setup, status, code) => {
      await expectRefusal(await start(setup), status, `ERR_OIDC_${code}`);
    });

    it('is refused by it for a token that it has taken back', async () => {
      const browser = await start({});
      const { value } = json(await browser.fetch(`${flow.baseUrl}/own`));
      await (await provider?.AccessToken.find(String(value)))?.destroy();
      await expectRefusal(browser, 502, 'ERR_OIDC_EXCHANGE_REFUSED');
    });

    it.each<[string, Setup, string]>([
      [
        'of another kind than was asked for',
        { oddities: { answer: { issued_token_type: 'urn:ietf:params:oauth:token-type:jwt' } } },
        'ISSUED_TOKEN_TYPE',
      ],
      [
        'whose kind it does not say',
        { oddities: { answer: { issued_token_type: undefined } } },
        'ISSUED_TOKEN_TYPE',
      ],
      ['that is for no header', { oddities: { answer: { token_type: 'N_A' } } }, 'TOKEN_TYPE'],
      [
        'that is bound to nothing, of a login with DPoP',
        {
          oidc: { dpop: true },
          features: { dPoP: { enabled: true, nonceSecret: randomBytes(32) } },
        },
        'TOKEN_TYPE',
      ],
    ])('is refused here where the OP gives a token %s', async (_what, setup, code) => {
      await expectRefusal(await start(setup), 400, `ERR_OIDC_${code}`);
    });
  });

  describe('for a login with certificate-bound tokens', () => {
    let flow: MutualTlsFlow;
    afterEach(() => flow.close());

    async function start(certificateOf?: ExchangeOddities['certificateOf']): Promise<void> {
      flow = await startMutualTlsFlow(certificates, {
        client: {
          ...exchangingClient,
          token_endpoint_auth_method: 'tls_client_auth',
          tls_client_auth_san_dns: 'client.example',
        },
        oidc: { resource: undefined },
        extend: (provider) =>
          addExchangeGrant(provider, [downstream], certificateOf && { certificateOf }),
        routes(app, oidc, apiUrl) {
          app.get('/behind', oidc.requireAuth(), async (req, res) => {
            const target = { resource: downstream, exchange: true };
            const answer = await req.oidc.fetch(`${apiUrl}/behind`, {}, target);
            res.status(answer.status).json(await answer.json());
          });
          app.use(oidc.errorHandler());
        },
      });
      await flow.browser.navigate(`${flow.baseUrl}/private`);
    }

    it('gives one that is bound as well, which the API takes with the certificate', async () => {
      await start(shownCertificate);
      const answer = await flow.browser.fetch(`${flow.baseUrl}/behind`);
      expect(json(answer)).toMatchObject({ sub: 'ada', url: '/behind' });
      expect(flow.api.calls).toEqual({ accepted: 1, refused: [] });
    });

    it.each<[string, ExchangeOddities['certificateOf']]>([
      ['to nothing', undefined],
      [
        'to another certificate',
        () => certificates.stranger.cert.replace(/-----[^-]*-----|\s/g, ''),
      ],
    ])('is refused where the OP gives one that is bound %s', async (_what, certificateOf) => {
      await start(certificateOf);
      const answer = await flow.browser.fetch(`${flow.baseUrl}/behind`);
      expect(refused(answer)).toEqual([400, 'ERR_OIDC_TOKEN_BINDING']);
      expect(flow.api.calls).toEqual({ accepted: 0, refused: [] });
      expect(await flow.browser.fetch(`${flow.baseUrl}/private`)).toMatchObject({ status: 200 });
    });
  });
});
