import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { InteractionResults, Provider } from 'oidc-provider';
import { findAccount } from './op-accounts.ts';
import { errorPage, pagePolicy, signInPage } from './op-pages.ts';
import type { Settings } from './settings.ts';

/** The steps at which the OP has something to ask a person: here, only who it is. */
export function mountInteractions(op: Express, provider: Provider, settings: Settings): void {
  const path = '/interaction/:uid';
  op.use('/interaction', function protectPages(_req, res, next) {
    res.set({
      'Content-Security-Policy': pagePolicy(settings.baseUrl),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  });
  op.get(path, async (req, res) => {
    const { prompt } = await provider.interactionDetails(req, res);
    // Consent was given when the shop was registered; see `grantEverything` in op.ts.
    if (prompt.name === 'consent') return finish(provider, req, res, { consent: {} });
    res.type('html').send(signInPage(req.originalUrl, settings.issuer));
  });
  op.post(path, express.urlencoded({ extended: false, limit: '4kb' }), async (req, res) => {
    await finish(provider, req, res, readAnswer(req.body ?? {}));
  });
  op.use(
    '/interaction',
    function interactionError(_error: unknown, _req: Request, res: Response, _next: NextFunction) {
      res.status(400).type('html');
      res.send(
        errorPage('This sign-in is over or took too long.', settings.issuer, settings.baseUrl),
      );
    },
  );
}

function readAnswer(form: Record<string, unknown>): InteractionResults {
  const account = findAccount(form['sub']);
  if (form['action'] === 'cancel' || account === undefined) {
    return { error: 'access_denied', error_description: 'the customer canceled the sign-in' };
  }
  return { login: { accountId: account.sub }, consent: {} };
}

async function finish(provider: Provider, req: Request, res: Response, answer: InteractionResults) {
  await provider.interactionFinished(req, res, answer);
}
