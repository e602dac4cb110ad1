import type { ServerResponse } from 'node:http';

type Parameters = readonly [name: string, value: string][];

/** Asks the user: a page with a button, which goes on with the same request. */
export function sendSignInPage(res: ServerResponse, request: Record<string, string>): void {
  sendForm(res, '/consent', Object.entries(request), { title: 'Sign in', isSubmitted: false });
}

/** Sends an authorization response to the client by a response mode. */
export function respond(
  res: ServerResponse,
  redirectUri: string,
  mode: string,
  parameters: Parameters,
): void {
  if (mode === 'form_post') {
    sendForm(res, redirectUri, parameters, { title: 'One moment', isSubmitted: true });
    return;
  }
  const text = new URLSearchParams([...parameters]).toString();
  const location = `${redirectUri}${mode === 'fragment' ? '#' : '?'}${text}`;
  res.writeHead(303, { location }).end();
}

function sendForm(
  res: ServerResponse,
  action: string,
  parameters: Parameters,
  { title, isSubmitted }: { title: string; isSubmitted: boolean },
): void {
  const inputs = parameters.map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeAttribute(value)}">`,
  );
  const body = isSubmitted ? '<body onload="document.forms[0].submit()">' : '<body>';
  res.writeHead(200, { 'content-type': 'text/html' });
  res.end(
    `<!doctype html><title>${title}</title>${body}<form method="post" action="${action}">${inputs.join('')}<button>Continue</button></form>`,
  );
}

function escapeAttribute(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}
