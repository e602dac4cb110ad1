import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';
import { type Listening, listen } from '../support/listen.ts';

let api: Listening;
let flow: Flow;
/** What the API demands. */
let challenge: string;
/** The API demands nothing any more after so many logins. */
let isContentAfter: number;

beforeEach(async () => {
  isContentAfter = Number.POSITIVE_INFINITY;
  api = await listen((_req, res) => {
    const isContent = flow.op.count('/authorize') >= isContentAfter;
    if (!isContent) res.writeHead(401, { 'WWW-Authenticate': challenge });
    res.end('{}');
  });
});
afterEach(async () => {
  await flow.close();
  await api.close();
});

const demand = (rest = ''): string => `Bearer error="insufficient_user_authentication"${rest}`;

async function start(oidc: { acrValues?: string; maxAge?: number } = {}): Promise<void> {
  flow = await startFlow({
    oidc,
    routes: (app, oidc) => {
      app.all('/transfer', oidc.requireAuth(), async (req, res, next) => {
        await req.oidc
          ?.fetch(`http://127.0.0.1:${api.port}/`)
          .then((answer) => res.json({ status: answer.status, acr: req.oidc?.claims.acr }), next);
      });
      app.use(oidc.errorHandler());
    },
  });
  await flow.signIn();
}

const page = (): ReturnType<Flow['browser']['navigate']> =>
  flow.browser.navigate(`${flow.baseUrl}/transfer?to=bob`);
const lastLogin = (): Record<string, string> => flow.op.lastRequest('/authorize').parameters;

describe('RFC 9470 step-up', () => {
  it('leads a page to a login with what the API demands, and back', async () => {
    await start();
    challenge = demand(', acr_values="mfa hwk", max_age="120"');
    isContentAfter = 2;
    const arrival = await page();
    expect(arrival.url).toBe(`${flow.baseUrl}/transfer?to=bob`);
    expect(json(arrival)).toEqual({ status: 200, acr: 'mfa' });
    expect(lastLogin()).toMatchObject({ acr_values: 'mfa hwk', max_age: '120' });
    expect(flow.op.count('/authorize')).toBe(2);
  });

  it('gives an API call 401 with the challenge, and a login path that asks for it', async () => {
    await start();
    challenge = demand(', acr_values="mfa", max_age="120"');
    const answer = await flow.browser.fetch(`${flow.baseUrl}/transfer`);
    expect([answer.status, errorCode(answer)]).toEqual([401, 'ERR_OIDC_STEP_UP_REQUIRED']);
    const { login } = json(answer);
    expect(answer.headers['www-authenticate']).toBe(
      `Cookie realm="${flow.baseUrl}", form-action="${login}", error="insufficient_user_authentication", acr_values="mfa", max_age="120"`,
    );
    await flow.browser.navigate(`${flow.baseUrl}${login}&return_to=/private`);
    expect(lastLogin()).toMatchObject({ acr_values: 'mfa', max_age: '120' });
  });

  it('lets nobody ask for less: a login path that was changed is an ordinary login', async () => {
    await start({ acrValues: 'mfa hwk' });
    challenge = demand(', acr_values="hwk"');
    const { login } = json(await flow.browser.fetch(`${flow.baseUrl}/transfer`));
    await flow.browser.navigate(`${flow.baseUrl}${String(login).replace('oidc_login=', '$&x')}`);
    expect(lastLogin()).toMatchObject({ acr_values: 'mfa hwk' });
    await flow.browser.navigate(`${flow.baseUrl}${login}`);
    expect(lastLogin()).toMatchObject({ acr_values: 'hwk' });
  });

  it('asks for no method that the options do not name: the API has its way elsewhere', async () => {
    await start({ acrValues: 'mfa' });
    challenge = demand(', acr_values="pwd"');
    expect(json(await page())).toEqual({ status: 401, acr: 'mfa' });
    expect(flow.op.count('/authorize')).toBe(1);
  });

  it('follows no list of methods that is too long for a cookie', async () => {
    await start();
    challenge = demand(`, acr_values="${'m '.repeat(300)}"`);
    expect(json(await page())).toEqual({ status: 401 });
  });

  it('enforces what the API demands', async () => {
    await start();
    challenge = demand(', acr_values="mfa"');
    flow.op.claims = { acr: 'pwd' };
    const arrival = await page();
    expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_ACR']);
  });

  it('is never laxer in time than the options', async () => {
    await start({ maxAge: 60 });
    challenge = demand(', acr_values="mfa", max_age="3600"');
    const { login } = json(await flow.browser.fetch(`${flow.baseUrl}/transfer`));
    await flow.browser.navigate(`${flow.baseUrl}${login}`);
    expect(lastLogin()).toMatchObject({ acr_values: 'mfa', max_age: '60' });
  });

  it('asks for a new authentication where the API names nothing', async () => {
    await start();
    challenge = demand();
    const { login } = json(await flow.browser.fetch(`${flow.baseUrl}/transfer`));
    await flow.browser.navigate(`${flow.baseUrl}${login}`);
    expect(lastLogin()).toMatchObject({ max_age: '0' });
  });

  it('makes no loop: who has what the API demands gets its answer', async () => {
    await start();
    challenge = demand(', acr_values="mfa"');
    expect(json(await page())).toEqual({ status: 401, acr: 'mfa' });
    expect(flow.op.count('/authorize')).toBe(2);
  });

  it('does not put what the API sends into a header unseen', async () => {
    await start();
    challenge = demand(', acr_values="m\\"fa\\\\, x=\\"1"');
    const answer = await flow.browser.fetch(`${flow.baseUrl}/transfer`);
    expect(answer.headers['www-authenticate']).toMatch(/, acr_values="mfa, x=1"$/);
  });
});

describe('errorHandler', () => {
  it('answers an outage in a handler with 503, and lets errors of others through', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        const fails = oidc.requireAuth({ accessToken: false });
        app.get('/late', fails, async (req, res, next) => {
          await req.oidc
            ?.accessToken({ audience: 'urn:other' })
            .then((token) => res.json(token), next);
        });
        app.get('/defect', (_req, _res, next) => next(new Error('a defect')));
        app.use(oidc.errorHandler());
      },
    });
    await flow.signIn();
    flow.op.lie({ refresh: { status: 503 } });
    const refused = await flow.browser.fetch(`${flow.baseUrl}/late`);
    expect([refused.status, errorCode(refused)]).toEqual([503, 'ERR_OIDC_PROVIDER_UNAVAILABLE']);
    expect(refused.headers['retry-after']).toBe('5');
    expect(flow.errors).toEqual([]);
    expect((await flow.browser.fetch(`${flow.baseUrl}/defect`)).status).toBe(500);
    expect(flow.errors).toHaveLength(1);
  });

  it('leaves the errors of another flow to its own handler', async () => {
    const other = await startFlow();
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/late', oidc.requireAuth({ accessToken: false }), async (req, _res, next) => {
          await req.oidc?.accessToken({ audience: 'urn:other' }).then(() => next(), next);
        });
        app.use(other.oidc.errorHandler());
      },
    });
    await flow.signIn();
    flow.op.lie({ refresh: { status: 503 } });
    expect((await flow.browser.fetch(`${flow.baseUrl}/late`)).status).toBe(500);
    expect(flow.errors).toMatchObject([{ code: 'ERR_OIDC_PROVIDER_UNAVAILABLE' }]);
    await other.close();
  });

  it('ends the session of a grant that died in a handler', async () => {
    flow = await startFlow({
      routes: (app, oidc) => {
        app.get('/late', oidc.requireAuth({ accessToken: false }), async (req, _res, next) => {
          await req.oidc?.accessToken({ audience: 'urn:other' }).then(() => next(), next);
        });
        app.use(oidc.errorHandler());
      },
    });
    await flow.signIn();
    flow.op.revokeAll();
    const refused = await flow.browser.fetch(`${flow.baseUrl}/late`);
    expect([refused.status, errorCode(refused)]).toEqual([401, 'ERR_OIDC_LOGIN_ENDED']);
    expect(await flow.storeKeys()).toEqual([]);
  });
});
