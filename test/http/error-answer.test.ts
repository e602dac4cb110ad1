import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import * as library from 'passport-oidc-hybrid';
import request from 'supertest';
import { answerError } from '../../lib/http/error-answer.ts';
import { type Listening, listen } from '../support/listen.ts';
import { opByFetch } from '../support/op-by-fetch.ts';

/** The rows of docs/errors.md, below the headings of their classes. */
const rows = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const [, className = '', statuses = ''] = /`(\w+)`, status (.*)/.exec(section) ?? [];
    return [...section.matchAll(/^\| `(ERR_OIDC_\w+)` \| (.*) \| (.*) \|$/gm)].map(
      ([, code = '', cause = '', cure = '']) => ({ code, cause, cure, className, statuses }),
    );
  });

/** An error with this code, as the library makes it. */
function makeError(className: string, code: string): library.HybridFlowError {
  const message = 'what was found, and what was wanted';
  switch (className) {
    case 'OptionsError':
      return new library.OptionsError(code as library.OptionsErrorCode, 'option', message);
    case 'AuthorizationResponseError':
      return new library.AuthorizationResponseError({
        error: code === 'ERR_OIDC_ACCESS_DENIED' ? 'access_denied' : 'server_error',
        error_description: '<b>text of the OP</b>',
      });
    case 'ValidationError':
      return new library.ValidationError(code as library.ValidationErrorCode, 'Core 2', message);
    case 'TransactionError':
      return new library.TransactionError(code as library.TransactionErrorCode, message);
    case 'ProviderError':
      return new library.ProviderError(code as library.ProviderErrorCode, 'token', message);
    case 'AuthenticationError':
      return new library.AuthenticationError(code as library.AuthenticationErrorCode, message);
    case 'ProxyError':
      return new library.ProxyError(code as library.ProxyErrorCode, message);
    case 'TenantError':
      return new library.TenantError(code as library.TenantErrorCode, message);
    default:
      return new library.SessionStoreError(
        new Error('down'),
        code as library.SessionStoreErrorCode,
      );
  }
}

let server: Listening;
beforeAll(async () => {
  const { options } = opByFetch();
  const app = express();
  app.get('/:className/:code', (req, res, next) => {
    const { className, code } = req.params;
    answerError(makeError(className, code), req, res, next, options);
  });
  server = await listen(app);
});
afterAll(() => server.close());

describe.each(rows)('$code', ({ code, cause, cure, className, statuses }) => {
  const answer = (accept: string): request.Test =>
    request(`http://127.0.0.1:${server.port}`).get(`/${className}/${code}`).set('Accept', accept);

  it('has a cause and a cure for developers', () => {
    expect(cause.length).toBeGreaterThan(5);
    expect(cure.length).toBeGreaterThan(5);
  });

  it('has a page that says what happened, and has a way to go on', async () => {
    const page = await answer('text/html');
    const error = makeError(className, code);
    expect(error).toMatchObject({ code, name: className });
    expect(statuses.match(/\d{3}/g)).toContain(String(page.status));
    expect(page.status).toBe(error.status);
    expect(page.text).toMatch(/<title>[A-Z][^<]{5,}<\/title>/);
    expect(page.text).toMatch(/<h1>[A-Z][^<]{5,}<\/h1><p>[A-Z][^<]{30,}<\/p>/);
    expect(page.text).toContain('<a href="/">Go to the start page</a>');
    const signIn = '<a class="main" href="/login">Sign in again</a>';
    // Where no sign-in helps: a wrong set-up, no tenant, an API that fails.
    if (['OptionsError', 'TenantError', 'ProxyError'].includes(className))
      expect(page.text).not.toContain(signIn);
    else expect(page.text).toContain(signIn);
    expect(page.text).toContain(`<code>${code}</code>`);
    expect(page.text).not.toContain('text of the OP');
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
  });

  it('has problem details for programs', async () => {
    const problem = await answer('application/json');
    expect(problem.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(problem.text)).toMatchObject({
      code,
      status: problem.status,
      title: expect.stringMatching(/\w/),
      detail: expect.stringMatching(/\w/),
    });
    expect(problem.text).not.toContain('text of the OP');
  });
});

describe('an outage', () => {
  it.each([
    ['ProviderError', 'ERR_OIDC_PROVIDER_UNAVAILABLE'],
    ['SessionStoreError', 'ERR_OIDC_SESSION_STORE'],
  ])('%s says when to come again', async (className, code) => {
    const page = await request(`http://127.0.0.1:${server.port}`).get(`/${className}/${code}`);
    expect([page.status, page.headers['retry-after']]).toEqual([503, '5']);
  });
});
