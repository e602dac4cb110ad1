import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type TenantClient, type TenantFlowsOptions, tenantFlows } from 'passport-oidc-hybrid';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import {
  answerOfOther,
  type CertifiedPair,
  startCertifiedPair,
  toCallback,
} from '../support/certified-pair.ts';
import { errorCode, json, sealingSecret } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificate: Certificate;
let pair: CertifiedPair;

/** Two tenants at paths of one host, at two OPs or as two clients of one. */
async function start(
  oidc: Partial<TenantFlowsOptions> = {},
  { isOneOp = false, change = {} }: { isOneOp?: boolean; change?: Partial<TenantClient> } = {},
): Promise<CertifiedPair> {
  pair = await startCertifiedPair(certificate, {
    paths: { ada: '/t/ada', bob: '/t/bob' },
    isOneOp,
    build(app, { ops, urls, apis, clock, fetch }) {
      const clientOf = (id: 'ada' | 'bob'): TenantClient => {
        const { issuer, clientId, clientSecret } = ops[id];
        return { id, issuer, clientId, clientSecret, baseUrl: urls[id] };
      };
      const clients = new Map([
        ['ada', clientOf('ada')],
        ['bob', { ...clientOf('bob'), ...change } as TenantClient],
      ]);
      const flows = tenantFlows({
        secret: sealingSecret,
        resource: ops.ada.audience,
        resolveClient: (req) => clients.get(String(req.params['tenant'])),
        now: clock.now,
        fetch,
        ...oidc,
      });
      app.use('/t/:tenant', flows.router());
      app.get('/t/:tenant/private', flows.requireAuth(), (req, res) => {
        res.json({ sub: req.oidc.claims.sub, iss: req.oidc.claims.iss });
      });
      app.get('/t/:tenant/orders/:api', flows.requireAuth(), async (req, res) => {
        const answer = await req.oidc.fetch(apis[req.params.api === 'bob' ? 'bob' : 'ada'].url);
        res.status(answer.status).json(await answer.json());
      });
      app.use(flows.errorHandler());
    },
  });
  return pair;
}

const isAtOp = ({ url }: { url: string }): boolean => url.includes('/auth?');
const refused = (visit: { status: number; text: string }) => [visit.status, errorCode(visit)];
const untouched = { authorization_code: 0, refused: 0 };

describeWithParts(['openssl'], 'tenants at certified OPs, over TLS', () => {
  beforeAll(async () => {
    certificate = await makeCertificate('localhost', '127.0.0.1');
  });
  afterEach(() => pair.close());

  it('sign in, call an API and refresh, each at its own', async () => {
    const { urls, ops, clock, newBrowser } = await start();
    for (const name of ['ada', 'bob'] as const) {
      const browser = newBrowser();
      const arrival = await browser.navigate(`${urls[name]}/private`);
      expect(json(arrival)).toEqual({ sub: name, iss: ops[name].issuer });
      expect(json(await browser.fetch(`${urls[name]}/orders/${name}`))).toMatchObject({
        sub: name,
      });
      clock.advance(60);
      expect(await browser.fetch(`${urls[name]}/orders/${name}`)).toMatchObject({ status: 200 });
      expect(ops[name].grants).toMatchObject({
        authorization_code: 1,
        refresh_token: 1,
        refused: 0,
      });
    }
  });

  it("have tokens that the other's API refuses", async () => {
    const { urls, apis, browser } = await start();
    await browser.navigate(`${urls.ada}/private`);
    expect(await browser.fetch(`${urls.ada}/orders/ada`)).toMatchObject({ status: 200 });
    expect(await browser.fetch(`${urls.ada}/orders/bob`)).toMatchObject({ status: 401 });
    expect(apis.bob.calls.accepted).toBe(0);
  });

  it.each([false, true])(
    'have sessions that are nothing to the other; one OP: %s',
    async (isOneOp) => {
      const { urls, browser, ops } = await start({}, { isOneOp });
      await browser.navigate(`${urls.ada}/private`);
      for (const path of ['/private', '/orders/ada']) {
        expect(refused(await browser.fetch(`${urls.bob}${path}`))).toEqual([
          401,
          'ERR_OIDC_LOGIN_REQUIRED',
        ]);
      }
      expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
      expect(ops.ada.grants).toMatchObject({ authorization_code: 1, refused: 0 });
    },
  );

  describe.each([
    ['code id_token', 'form_post', 'ERR_OIDC_ID_TOKEN_KEY', 'ERR_OIDC_TENANT_MISMATCH'],
    // Whose answer it is stands inside.
    ['code id_token', 'form_post.jwt', 'ERR_OIDC_JARM_KEY', 'ERR_OIDC_JARM_KEY'],
    ['code', 'query', 'ERR_OIDC_ISS_MISMATCH', 'ERR_OIDC_TENANT_MISMATCH'],
  ] as const)(
    'RFC 9700 4.4 mix-up, with "%s" by %s',
    (responseType, responseMode, code, elsewhere) => {
      it('an answer of the other OP to the same request is refused, and no code is sent to anybody', async () => {
        const { urls, ops, browser } = await start({ responseType, responseMode });
        const { next: asked } = await browser.navigate(`${urls.ada}/private`, isAtOp);
        const foreign = await answerOfOther(pair, asked ?? never());
        const atAda = { ...foreign, url: foreign.url.replace(urls.bob, urls.ada) };
        expect(refused(await browser.navigate(atAda))).toEqual([400, code]);
        expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
        expect([ops.ada.grants, ops.bob.grants]).toMatchObject([untouched, untouched]);
      });

      it('an answer that arrives at the other tenant is refused, and no code is sent to anybody', async () => {
        const { urls, ops, browser } = await start({ responseType, responseMode });
        const { next } = await browser.navigate(`${urls.ada}/private`, toCallback);
        const atBob = { ...(next ?? never()), url: String(next?.url).replace(urls.ada, urls.bob) };
        expect(refused(await browser.navigate(atBob))).toEqual([400, elsewhere]);
        expect([ops.ada.grants, ops.bob.grants]).toMatchObject([untouched, untouched]);
      });

      it('an answer to the right tenant signs in', async () => {
        const { urls, browser } = await start({ responseType, responseMode });
        const { next } = await browser.navigate(`${urls.ada}/private`, toCallback);
        expect(json(await browser.navigate(next ?? never()))).toMatchObject({ sub: 'ada' });
      });
    },
  );

  it.each([
    ['code id_token', 'form_post', 'ERR_OIDC_ID_TOKEN_AUD', 0],
    ['code', 'query', 'ERR_OIDC_GRANT_REFUSED', 1],
  ] as const)(
    'an answer for the other client of the same OP is refused, with "%s"',
    async (responseType, responseMode, code, tried) => {
      const { urls, ops, browser } = await start({ responseType, responseMode }, { isOneOp: true });
      const { next: asked } = await browser.navigate(`${urls.ada}/private`, isAtOp);
      const foreign = await answerOfOther(pair, asked ?? never());
      const atAda = { ...foreign, url: foreign.url.replace(urls.bob, urls.ada) };
      expect(refused(await browser.navigate(atAda))).toEqual([400, code]);
      expect(ops.ada.grants).toMatchObject({ authorization_code: 0, refused: tried });
    },
  );

  it('whose secret is wrong are refused, and nobody else', async () => {
    const { urls, newBrowser } = await start({}, { change: { clientSecret: 'another secret' } });
    expect(refused(await newBrowser().navigate(`${urls.bob}/private`))).toEqual([
      502,
      'ERR_OIDC_CLIENT_REFUSED',
    ]);
    expect(json(await newBrowser().navigate(`${urls.ada}/private`))).toMatchObject({ sub: 'ada' });
  });

  it.each([
    [1000, 1],
    [1, 3],
  ])('of whom %i are remembered are discovered %i times', async (maxTenants, times) => {
    const { urls, ops, count, newBrowser } = await start({ maxTenants });
    for (const name of ['ada', 'bob', 'ada', 'bob', 'ada', 'bob'] as const) {
      expect(await newBrowser().navigate(`${urls[name]}/private`)).toMatchObject({ status: 200 });
    }
    for (const { issuer } of Object.values(ops)) {
      expect(count(`${issuer}/.well-known/openid-configuration`)).toBe(times);
    }
  });
});

function never(): never {
  throw new Error('there was no such hop');
}
