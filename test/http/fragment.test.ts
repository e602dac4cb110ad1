import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import helmet from 'helmet';
import passport from 'passport';
import request from 'supertest';
import { fragmentScript } from '../../lib/http/fragment-page.ts';
import type { Hop } from '../support/browser.ts';
import { errorCode, type Flow, type FlowSetup, json, startFlow } from '../support/flow.ts';
import { publishedErrors } from '../support/published-errors.ts';

let flow: Flow;
afterEach(() => flow.close());

const fragment = { responseMode: 'fragment' } as const;

/** A login up to the POST in which our own page hands the fragment in. */
async function untilPost(setup: FlowSetup = { oidc: fragment }): Promise<Hop> {
  flow = await startFlow(setup);
  const { next } = await flow.browser.navigate(
    `${flow.baseUrl}/private`,
    ({ method }) => method === 'POST',
  );
  if (next === undefined) throw new Error('no page has posted the fragment');
  return next;
}

const post = (headers: Record<string, string>, body: string): request.Test =>
  request(flow.baseUrl)
    .post('/callback')
    .set({ 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html', ...headers })
    .send(body);

describe('a login by fragment', () => {
  it.each(['code', 'code id_token', 'code token', 'code id_token token'] as const)(
    'to "%s" ends signed in, with nothing of the answer in any URL that reaches the server',
    async (responseType) => {
      const urls: string[] = [];
      flow = await startFlow({
        oidc: { responseType, responseMode: 'fragment' },
        before: (app) => {
          app.use((req, _res, next) => {
            urls.push(req.originalUrl, req.headers.referer ?? '');
            next();
          });
        },
      });
      const arrival = await flow.signIn(flow.browser, '/private?page=2');
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private?page=2` });
      expect(flow.op.lastRequest('/authorize').parameters['response_mode']).toBe('fragment');
      expect(urls.some((url) => url.startsWith('/callback?oidc_response='))).toBe(true);
      for (const secret of flow.op.handedOut) expect(urls.join('\n')).not.toContain(secret);
    },
  );

  it.each(['lax', 'strict'] as const)(
    'keeps the cart, with a %s session cookie',
    async (sameSite) => {
      flow = await startFlow({ oidc: fragment, session: { cookie: { sameSite } } });
      await flow.browser.navigate(`${flow.baseUrl}/cart/tea`);
      expect(json(await flow.signIn())).toMatchObject({ sub: 'ada', cart: ['tea'] });
    },
  );

  it('works with the Passport strategy', async () => {
    flow = await startFlow({
      oidc: fragment,
      before: (app) => void app.use(passport.initialize(), passport.session()),
      router: (app, oidc) => {
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user: Express.User, done) => done(null, user));
        passport.use(oidc.strategy(({ claims }) => ({ id: claims.sub })));
        app.get('/login', passport.authenticate('oidc'));
        app.post('/callback', passport.authenticate('oidc'));
        app.get(
          '/callback',
          passport.authenticate('oidc', { successReturnToOrRedirect: '/private' }),
        );
      },
    });
    expect(json(await flow.signIn())).toMatchObject({ sub: 'ada' });
  });

  it('is what an OP gets that lists no form_post, unless another mode is chosen', async () => {
    const response_modes_supported = ['query', 'fragment'];
    const discovery = { json: (body: object) => ({ ...body, response_modes_supported }) };
    flow = await startFlow();
    flow.op.lie({ discovery });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/authorize').parameters['response_mode']).toBe('fragment');

    const chosen = await startFlow({ op: flow.op, oidc: { responseMode: 'form_post' } });
    await chosen.signIn();
    expect(flow.op.lastRequest('/authorize').parameters['response_mode']).toBe('form_post');
    await chosen.close();
  });

  it('is not taken for the wish of an OP that lists no response modes', async () => {
    flow = await startFlow();
    flow.op.lie({
      discovery: { json: (body) => ({ ...body, response_modes_supported: undefined }) },
    });
    expect(await flow.signIn()).toMatchObject({ status: 200 });
    expect(flow.op.lastRequest('/authorize').parameters['response_mode']).toBe('form_post');
  });
});

describe('the page that hands a fragment in', () => {
  it('has a policy that allows its one script, by its hash, also behind a helmet', async () => {
    flow = await startFlow({ oidc: fragment, before: (app) => void app.use(helmet()) });
    const { headers, text } = await flow.browser.navigate(
      `${flow.baseUrl}/callback#code=a`,
      () => true,
    );
    const source = /<script>(.*)<\/script>/.exec(text)?.[1] ?? '';
    const hash = `sha256-${createHash('sha256').update(source).digest('base64')}`;
    expect(source).toBe(fragmentScript.source);
    expect(headers['content-security-policy']).toContain(
      `script-src '${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(headers['cache-control']).toBe('no-store');
    // An Origin goes with its form, also where there is no Fetch Metadata.
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(text).toContain('Please allow scripts for this site');
  });

  it.each([
    ['fetch', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }, 400],
    ['a frame', { 'Sec-Fetch-Dest': 'iframe' }, 400],
    ['a prefetch', { 'Sec-Purpose': 'prefetch' }, 403],
  ])('is not sent to %s', async (_what, headers, status) => {
    flow = await startFlow({ oidc: fragment });
    const hop = {
      method: 'GET',
      url: `${flow.baseUrl}/callback`,
      from: undefined,
      headers,
    } as const;
    expect((await flow.browser.perform(hop)).status).toBe(status);
    expect((await flow.browser.perform({ ...hop, headers: {} })).status).toBe(200);
  });

  it('of a reload, without a fragment, leads who is signed in to the start page', async () => {
    flow = await startFlow({ oidc: fragment });
    const early = await flow.browser.navigate(`${flow.baseUrl}/callback`);
    expect([early.status, errorCode(early)]).toEqual([400, 'ERR_OIDC_RESPONSE_EMPTY']);
    await flow.signIn();
    expect(await flow.browser.navigate(`${flow.baseUrl}/callback`)).toMatchObject({
      status: 200,
      url: `${flow.baseUrl}/`,
    });
  });
});

describe('a fragment that is posted', () => {
  it('by the page of the callback is taken', async () => {
    const hop = await untilPost();
    expect(await flow.browser.navigate(hop)).toMatchObject({ status: 200 });
  });

  it('sets no cookie and touches no session, though the session cookie came along', async () => {
    const hop = await untilPost({ oidc: fragment, session: { saveUninitialized: true } });
    const keys = await flow.storeKeys();
    const visit = await flow.browser.perform(hop);
    expect(visit.sentCookies).toContain('connect.sid');
    expect(visit.setCookies).toEqual([]);
    expect(await flow.storeKeys()).toEqual(keys);
  });

  it.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['a sibling of this site', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:1' }],
    ['a page without an origin', { Origin: 'null' }],
  ])('by %s is refused', async (_who, headers) => {
    const hop = await untilPost();
    const refused = await post(headers, hop.body ?? '');
    expect([refused.status, errorCode(refused)]).toEqual([400, 'ERR_OIDC_FRAGMENT_ORIGIN']);
    const taken = await post({ Origin: flow.baseUrl }, hop.body ?? '');
    expect(taken.status).toBe(200);
  });

  it('begun in another browser signs nobody in', async () => {
    const hop = await untilPost();
    const victim = await startFlow({ op: flow.op, oidc: fragment });
    const attack = { ...hop, url: `${victim.baseUrl}/callback`, from: victim.baseUrl };
    const codes = await publishedErrors('refusal', () =>
      victim.browser.navigate(attack, ({ url }) => url.startsWith(flow.op.issuer)),
    );
    expect(codes).toEqual(['ERR_OIDC_TRANSACTION_UNKNOWN']);
    expect(flow.op.count('/token')).toBe(0);
    expect(await victim.storeKeys()).toEqual([]);
    await victim.close();
  });

  it('beside other parameters is all that is read', async () => {
    const hop = await untilPost();
    const visit = await flow.browser.navigate({ ...hop, body: `${hop.body}&error=access_denied` });
    expect(visit.status).toBe(200);
  });

  it('over the cap is refused', async () => {
    await untilPost();
    const answer = await post({ Origin: flow.baseUrl }, `oidc_fragment=${'a'.repeat(65_536)}`);
    expect(errorCode(answer)).toBe('ERR_OIDC_CALLBACK_BODY_TOO_LARGE');
  });
});
