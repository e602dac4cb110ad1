import type { Request, Response } from 'express';
import type { AuthorizationRequest } from '../oidc/authorization-request.ts';
import type { ResolvedOptions } from '../options.ts';
import { escapeHtml, type InlineScript, sendOn, sendPage, sendRefresh } from './pages.ts';

/** Submits the form. A field may be called "submit", and would hide the function of that name. */
export const authorizationScript: InlineScript = {
  source: 'HTMLFormElement.prototype.submit.call(document.forms[0])',
  hash: 'sha256-ox4bri+xTrW3kuLTyRoak73QX8KZGuyP3JlQYusbSlA=',
};

/**
 * Sends the browser to the OP: by a redirect, or by a page with a form that submits itself.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest Core 3.1.2.1}
 */
export function sendToOp(
  req: Request,
  res: Response,
  request: AuthorizationRequest,
  options: Pick<ResolvedOptions, 'isSecure'>,
): void {
  if (request.method === 'get') sendOn(req, res, request.url, 'Signing in');
  else sendForm(res, request, options);
}

/**
 * The same from the callback, always by a page: the chain of redirects there may have begun with a
 * form of the OP, whose `form-action` need not allow the way back to it.
 */
export function sendToOpAgain(
  res: Response,
  request: AuthorizationRequest,
  options: Pick<ResolvedOptions, 'isSecure'>,
): void {
  if (request.method === 'get') sendRefresh(res, request.url, 'Signing in', 'Continue');
  else sendForm(res, request, options);
}

function sendForm(
  res: Response,
  request: AuthorizationRequest & { method: 'post' },
  options: Pick<ResolvedOptions, 'isSecure'>,
): void {
  const inputs = request.parameters.map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  sendPage(res, 200, {
    title: 'Signing in',
    body: `<h1>Signing in</h1><form method="post" action="${escapeHtml(request.url)}">${inputs.join('')}<button class="main late">Continue to the sign-in service</button></form>`,
    script: authorizationScript,
    // Chromium holds every redirect after a form against its page's policy. The OP may send the
    // browser to any host of its own or of another OP, and in the end back to us: so only schemes are
    // named. The form itself leads nowhere but to the OP.
    formAction: options.isSecure && request.url.startsWith('https:') ? 'https:' : 'https: http:',
    // The OP may ask who posts: an Origin that is "null" would say nobody.
    referrerPolicy: 'strict-origin',
  });
}
