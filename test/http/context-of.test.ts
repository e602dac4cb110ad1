import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const start = (): Promise<Flow> =>
  startFlow({
    routes: (app, oidc) => {
      app.use('/account', oidc.requireAuth());
      app.get(['/account/name', '/open'], (req, res) => {
        res.json({ sub: oidc.contextOf(req).claims.sub });
      });
      app.use(oidc.errorHandler());
    },
  });

describe('contextOf', () => {
  it('is the login that a guard elsewhere has let pass', async () => {
    flow = await start();
    expect(json(await flow.signIn(undefined, '/account/name'))).toEqual({ sub: 'ada' });
  });

  it('throws where no guard comes before, whoever is signed in; a call gets 401', async () => {
    flow = await start();
    await flow.signIn();
    const answer = await flow.browser.fetch(`${flow.baseUrl}/open`);
    expect([answer.status, errorCode(answer)]).toEqual([401, 'ERR_OIDC_LOGIN_REQUIRED']);
    expect(flow.errors).toEqual([]);
  });
});
