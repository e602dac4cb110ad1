import type { Browser, Hop } from './browser.ts';
import type { Flow } from './flow.ts';

/** A login up to a request whose URL contains `part`: that request is not made yet. */
export async function upTo(
  flow: Flow,
  part: string,
  browser: Browser = flow.browser,
  path = '/private',
): Promise<Hop> {
  const { next } = await browser.navigate(`${flow.baseUrl}${path}`, ({ url }) =>
    url.includes(part),
  );
  if (next === undefined) throw new Error(`the login has not come to ${part}`);
  return next;
}

/** The parameters of a response that is on its way, in a form or in a query. */
export function responseOf(hop: Hop): URLSearchParams {
  return hop.method === 'POST'
    ? new URLSearchParams(hop.body ?? '')
    : new URL(hop.url).searchParams;
}

/** The same request with other parameters. */
export function withResponse(hop: Hop, parameters: URLSearchParams): Hop {
  if (hop.method === 'POST') return { ...hop, body: parameters.toString() };
  const url = new URL(hop.url);
  url.search = parameters.toString();
  return { ...hop, url: url.href };
}
