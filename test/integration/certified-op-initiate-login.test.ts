import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hybridFlow, inProcessLock, tenantFlows } from 'passport-oidc-hybrid';
import type { Arrival, Browser } from '../support/browser.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type CertifiedPair, startCertifiedPair } from '../support/certified-pair.ts';
import { errorCode, json, sealingSecret } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificate: Certificate;
let pair: CertifiedPair;

const portal = 'https://portal.example';

/** An application at the first of two OPs, or with both as tenants. */
async function start(hasTenants = false): Promise<CertifiedPair> {
  pair = await startCertifiedPair(certificate, {
    paths: { ada: '/t/ada', bob: '/t/bob' },
    build(app, { ops, urls, clock, fetch }) {
      const clientOf = (id: 'ada' | 'bob') => {
        const { issuer, clientId, clientSecret } = ops[id];
        return { issuer, clientId, clientSecret, baseUrl: urls[id] };
      };
      const common = {
        secret: sealingSecret,
        initiateLogin: true,
        now: clock.now,
        lock: inProcessLock(),
        fetch,
      };
      const oidc = hasTenants
        ? tenantFlows({
            ...common,
            resolveClient: ({ params }) => {
              const id = params['tenant'] === 'bob' ? 'bob' : 'ada';
              return { id, ...clientOf(id) };
            },
          })
        : hybridFlow({ ...common, ...clientOf('ada') });
      app.use('/t/:tenant', oidc.router());
      app.get('/t/:tenant/private', oidc.requireAuth(), (req, res) => {
        res.json({ sub: req.oidc.claims.sub, tab: req.query['tab'] });
      });
    },
  });
  return pair;
}

/** A link or a form of another site. */
function initiate(
  method: 'GET' | 'POST',
  parameters: Record<string, string>,
  at = pair.urls.ada,
  browser: Browser = pair.browser,
): Promise<Arrival> {
  const text = new URLSearchParams(parameters).toString();
  const url = `${at}/initiate-login`;
  return method === 'GET'
    ? browser.navigate({ method, url: `${url}?${text}`, from: portal })
    : browser.navigate({ method, url, body: text, from: portal });
}

/** The requests that a visit has led to, at any OP. */
const atOps = ({ history }: Arrival): URL[] =>
  history.map(({ url }) => new URL(url)).filter(({ pathname }) => pathname === '/auth');

const refused = (visit: { status: number; text: string }) => [visit.status, errorCode(visit)];

describeWithParts(
  ['openssl'],
  'Core 4 a login that a third party begins, at certified OPs over TLS',
  () => {
    beforeAll(async () => {
      certificate = await makeCertificate('localhost', '127.0.0.1');
    });
    afterEach(() => pair.close());

    describe.each(['GET', 'POST'] as const)('by %s', (method) => {
      it('ends at the target, and the OP gets the hint', async () => {
        const { ops, urls } = await start();
        const target_link_uri = `${urls.ada}/private?tab=1`;
        const login_hint = 'ada@shop.example';
        const arrival = await initiate(method, {
          iss: ops.ada.issuer,
          login_hint,
          target_link_uri,
        });
        expect(arrival).toMatchObject({ status: 200, url: target_link_uri });
        expect(json(arrival)).toEqual({ sub: 'ada', tab: '1' });
        expect(atOps(arrival).map(({ searchParams }) => searchParams.get('login_hint'))).toEqual([
          login_hint,
        ]);
        expect(ops.ada.grants).toMatchObject({ authorization_code: 1, refused: 0 });
      });

      it('that the user breaks off at the OP signs nobody in', async () => {
        const { ops, urls, browser } = await start();
        const parameters = { iss: ops.ada.issuer, login_hint: 'cancel' };
        expect(refused(await initiate(method, parameters))).toEqual([
          403,
          'ERR_OIDC_ACCESS_DENIED',
        ]);
        expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
      });

      it.each<[string, (pair: CertifiedPair) => string]>([
        ['of another OP', ({ ops }) => ops.bob.issuer],
        ['with a slash behind it', ({ ops }) => `${ops.ada.issuer}/`],
        ['in capitals', ({ ops }) => ops.ada.issuer.toUpperCase()],
        [
          'of the OP by another name',
          ({ ops }) => ops.ada.issuer.replace('localhost', '127.0.0.1'),
        ],
        ['that is none', () => ''],
      ])('is refused for an issuer %s, and no OP is asked', async (_what, issuerOf) => {
        await start();
        const arrival = await initiate(method, { iss: issuerOf(pair) });
        expect(refused(arrival)).toEqual([400, 'ERR_OIDC_INITIATION_ISS']);
        expect([atOps(arrival), arrival.setCookies]).toEqual([[], []]);
      });

      it.each<[string, (pair: CertifiedPair) => string]>([
        ['at another site', () => 'https://evil.example/'],
        ['at another port', ({ origin }) => origin.replace(/\d+$/, '1')],
        ['at the OP', ({ ops }) => ops.ada.issuer],
        ['at a host that begins like ours', ({ urls }) => `${urls.ada}.evil.example/private`],
        ['at a host behind a user like ours', ({ origin }) => `${origin}@evil.example/t/ada/`],
        ['without TLS', ({ urls }) => `${urls.ada.replace('https:', 'http:')}/private`],
        ['of the neighbor on this host', ({ urls }) => `${urls.bob}/private`],
        ['that runs', () => 'javascript:alert(1)'],
      ])('is refused for a target %s, and no OP is asked', async (_what, targetOf) => {
        const { ops } = await start();
        const parameters = { iss: ops.ada.issuer, target_link_uri: targetOf(pair) };
        const arrival = await initiate(method, parameters);
        expect(refused(arrival)).toEqual([400, 'ERR_OIDC_INITIATION_TARGET']);
        expect([atOps(arrival), arrival.setCookies]).toEqual([[], []]);
      });

      it('goes to the OP of the tenant, and of no other', async () => {
        const { ops, urls, newBrowser } = await start(true);
        for (const name of ['ada', 'bob'] as const) {
          const browser = newBrowser();
          const target_link_uri = `${urls[name]}/private`;
          const { issuer: iss } = ops[name];
          const arrival = await initiate(method, { iss, target_link_uri }, urls[name], browser);
          expect(json(arrival)).toMatchObject({ sub: name });
          const other = name === 'ada' ? urls.bob : urls.ada;
          const elsewhere = await initiate(method, { iss, target_link_uri }, other, newBrowser());
          expect(refused(elsewhere)).toEqual([400, 'ERR_OIDC_INITIATION_ISS']);
          expect(atOps(elsewhere)).toEqual([]);
        }
      });
    });
  },
);
