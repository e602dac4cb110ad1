import { afterEach, describe, expect, it } from '@jest/globals';
import passport from 'passport';
import type { FailedRequest, LoginRefusedError, Verify } from 'passport-oidc-hybrid';
import { errorCode, type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const reason = 'Confirm your address <b>first</b> & "come back"';
const refuseUnconfirmed: Verify = ({ claims, refuse }) => {
  if (claims['email_verified'] === false) refuse(reason);
  return { id: claims.sub };
};
const unconfirmed = { email_verified: false };

describe('verify that refuses with a reason', () => {
  it('shows it to the visitor, escaped, and signs nobody in', async () => {
    flow = await startFlow({ oidc: { verify: refuseUnconfirmed } });
    flow.op.claims = unconfirmed;
    const refused = await flow.signIn();
    expect([refused.status, errorCode(refused)]).toEqual([403, 'ERR_OIDC_LOGIN_REFUSED']);
    expect(refused.text).toContain(
      '<p>Confirm your address &lt;b&gt;first&lt;/b&gt; &amp; &quot;come back&quot;</p>',
    );
    expect(refused.text).toContain('href="/login?return_to=%2Fprivate"');
    expect(await flow.storeKeys()).toEqual([]);
    flow.op.claims = {};
    expect((await flow.signIn()).status).toBe(200);
  });

  it('refuses also where what comes after it would return a user', async () => {
    flow = await startFlow({
      oidc: {
        verify: ({ refuse }) => {
          const tryOn = refuse as (reason: string) => void;
          tryOn('no');
          return { id: 'ada' };
        },
      },
    });
    expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_LOGIN_REFUSED');
  });

  it('reaches onError, with the reason and the way to try again', async () => {
    const failures: FailedRequest[] = [];
    flow = await startFlow({
      oidc: {
        verify: refuseUnconfirmed,
        onError: (failure) => {
          failures.push(failure);
          failure.res.status(failure.error.status).json({ path: failure.loginPath });
        },
      },
    });
    flow.op.claims = unconfirmed;
    const refused = await flow.signIn();
    expect([refused.status, json(refused)]).toEqual([403, { path: '/login?return_to=%2Fprivate' }]);
    expect(failures.map(({ error }) => (error as LoginRefusedError).reason)).toEqual([reason]);
    expect(failures[0]?.req.path).toBe('/callback');
  });

  it('is a failure to Passport, with the reason in the challenge', async () => {
    const own = new passport.Passport();
    flow = await startFlow({
      router: (app, oidc) => {
        own.use(oidc.strategy(refuseUnconfirmed));
        app.get('/login', own.authenticate('oidc'));
        app.post('/callback', own.authenticate('oidc'));
        app.get('/callback', (req, res, next) => {
          own.authenticate(
            'oidc',
            (_error: unknown, user: unknown, info: LoginRefusedError, status: number) => {
              res.status(status).json({ user, reason: info.reason });
            },
          )(req, res, next);
        });
      },
    });
    flow.op.claims = unconfirmed;
    const refused = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect([refused.status, json(refused)]).toEqual([403, { user: false, reason }]);
  });

  it('is what Passport shows by failureMessage', async () => {
    const own = new passport.Passport();
    flow = await startFlow({
      router: (app, oidc) => {
        own.use(oidc.strategy(refuseUnconfirmed));
        app.get('/login', own.authenticate('oidc'));
        app.post('/callback', own.authenticate('oidc'));
        const failure = { failureRedirect: '/sorry', failureMessage: true };
        app.get('/callback', own.authenticate('oidc', failure));
        app.get('/sorry', (req, res) => res.json(Object(req.session).messages));
      },
    });
    flow.op.claims = unconfirmed;
    const refused = await flow.browser.navigate(`${flow.baseUrl}/login`);
    expect([new URL(refused.url).pathname, json(refused)]).toEqual(['/sorry', [reason]]);
  });
});
