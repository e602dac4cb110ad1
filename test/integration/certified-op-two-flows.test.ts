import { afterEach, beforeAll, expect, it } from '@jest/globals';
import {
  type CommonOptions,
  type HybridFlow,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import type { Hop } from '../support/browser.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import {
  answerOfOther,
  type CertifiedPair,
  startCertifiedPair,
} from '../support/certified-pair.ts';
import { errorCode, json, sealingSecret } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

let certificate: Certificate;
let pair: CertifiedPair;

const pathsOf = (prefix: string): Partial<CommonOptions> =>
  Object.fromEntries(
    ['login', 'callback', 'logout'].map((name) => [`${name}Path`, `${prefix}/${name}`]),
  );

/** One flow at each OP; the second has its own paths and its own session key. */
async function start(common: Partial<CommonOptions> = {}): Promise<CertifiedPair> {
  pair = await startCertifiedPair(certificate, {
    paths: { ada: '', bob: '/second' },
    build(app, { ops, origin, apis, clock, fetch }) {
      const flowAt = (name: 'ada' | 'bob', change: Partial<CommonOptions>): HybridFlow => {
        const { issuer, clientId, clientSecret, audience } = ops[name];
        return hybridFlow({
          issuer,
          clientId,
          clientSecret,
          baseUrl: origin,
          resource: audience,
          secret: sealingSecret,
          lock: inProcessLock(),
          now: clock.now,
          fetch,
          ...common,
          ...change,
        });
      };
      const second = { sessionKey: 'second', postLogoutPath: '/second/logout/callback' };
      const flows = [
        ['ada', '', flowAt('ada', {})],
        ['bob', '/second', flowAt('bob', { ...second, ...pathsOf('/second') })],
      ] as const;
      for (const [, , flow] of flows) app.use(flow.router());
      for (const [name, path, flow] of flows) {
        app.get(`${path}/private`, flow.requireAuth(), (req, res) => {
          res.json({ sub: req.oidc.claims.sub });
        });
        app.get(`${path}/orders`, flow.requireAuth(), async (req, res) => {
          const answer = await req.oidc.fetch(apis[name].url);
          res.status(answer.status).json(await answer.json());
        });
      }
    },
  });
  return pair;
}

const isAtOp = ({ url }: Hop): boolean => url.includes('/auth?');
const refused = (visit: { status: number; text: string }) => [visit.status, errorCode(visit)];
const untouched = { authorization_code: 0, refused: 0 };

describeWithParts(['openssl'], 'two flows at two certified OPs, over TLS', () => {
  beforeAll(async () => {
    certificate = await makeCertificate('localhost', '127.0.0.1');
  });
  afterEach(() => pair.close());

  it('sign in, call an API and refresh, each at its own', async () => {
    const { urls, ops, clock, newBrowser } = await start();
    for (const name of ['ada', 'bob'] as const) {
      const browser = newBrowser();
      expect(json(await browser.navigate(`${urls[name]}/orders`))).toMatchObject({ sub: name });
      clock.advance(60);
      expect(await browser.fetch(`${urls[name]}/orders`)).toMatchObject({ status: 200 });
      expect(ops[name].grants).toMatchObject({
        authorization_code: 1,
        refresh_token: 1,
        refused: 0,
      });
    }
  });

  it('take no login for one at the other', async () => {
    const { urls, browser } = await start();
    await browser.navigate(`${urls.ada}/private`);
    expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 200 });
    expect(refused(await browser.fetch(`${urls.bob}/private`))).toEqual([
      401,
      'ERR_OIDC_LOGIN_REQUIRED',
    ]);
  });

  it.each([
    ['code id_token', 'form_post', 'ERR_OIDC_ID_TOKEN_KEY'],
    ['code id_token', 'fragment', 'ERR_OIDC_ID_TOKEN_KEY'],
    ['code', 'query', 'ERR_OIDC_ISS_MISMATCH'],
  ] as const)(
    'RFC 9700 4.4: an answer of the other OP is refused, and no code is sent to anybody: "%s" by %s',
    async (responseType, responseMode, code) => {
      const { urls, ops, browser } = await start({ responseType, responseMode });
      const { next: asked } = await browser.navigate(`${urls.ada}/private`, isAtOp);
      if (asked === undefined) throw new Error('the login has not begun');
      const foreign = await answerOfOther(pair, asked);
      const atAda = { ...foreign, url: foreign.url.replace(urls.bob, urls.ada) };
      expect(refused(await browser.navigate(atAda))).toEqual([400, code]);
      expect(await browser.fetch(`${urls.ada}/private`)).toMatchObject({ status: 401 });
      expect([ops.ada.grants, ops.bob.grants]).toMatchObject([untouched, untouched]);
      // The true answer is taken.
      expect(json(await browser.navigate(`${urls.ada}/private`))).toEqual({ sub: 'ada' });
    },
  );
});
