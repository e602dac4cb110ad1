import type { Request, Response } from 'express';
import type { ResolvedOptions } from '../options.ts';
import { fragmentField } from './callback-parameters.ts';
import { isNavigation } from './negotiation.ts';
import { escapeHtml, type InlineScript, sendPage } from './pages.ts';
import { defaultReturnPath } from './return-to.ts';

/**
 * Takes the fragment out of the URL and the history, and posts it to the URL it was found at. A page
 * that was reloaded has none any more, and asks the server what to make of that.
 */
export const fragmentScript: InlineScript = {
  source:
    "const{hash,pathname}=location,form=document.forms[0];history.replaceState(null,'',pathname);if(hash){form.elements[0].value=hash.slice(1);form.submit()}else location.replace('?oidc_fragment=')",
  hash: 'sha256-+Wgt4pcpvQI0RBoMpLexwzuGpqD6fglXFh2kRI2MzgE=',
};

/**
 * Whether the answer may be in the fragment, which no server sees: a visit of the callback with no
 * parameters. OPs send errors there as well, whatever mode was asked for, as the fragment is the
 * default of the hybrid response types.
 *
 * @see {@link https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html Multiple Response Types 5}
 */
export function mayHaveFragment(
  req: Request,
  options: Pick<ResolvedOptions, 'responseMode' | 'responseType'>,
): boolean {
  const isExpected =
    options.responseMode?.startsWith('fragment') || options.responseType !== 'code';
  return isExpected && !/\?./.test(req.url) && req.method === 'GET' && isNavigation(req);
}

/** Sends the page that moves the fragment into a POST. */
export function sendFragmentPage(res: Response, options: ResolvedOptions): void {
  const { basePath, callbackPath, loginPath } = options;
  sendPage(res, 200, {
    title: 'Signing in',
    body: `<h1>Signing in</h1><form method="post" action="${escapeHtml(`${basePath}${callbackPath}`)}"><input type="hidden" name="${fragmentField}"></form><div class="late"><p>This takes a moment. If the page stays, this browser runs no scripts here, and the sign-in service needs them. Please allow scripts for this site, then sign in again.</p><nav><a class="main" href="${escapeHtml(`${basePath}${loginPath}`)}">Sign in again</a><a href="${escapeHtml(defaultReturnPath(options))}">Go to the start page</a></nav></div>`,
    script: fragmentScript,
  });
}
