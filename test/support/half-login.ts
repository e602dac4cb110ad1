import { expect } from '@jest/globals';
import type { Arrival, Browser, Hop } from './browser.ts';
import type { Flow } from './flow.ts';
import { publishedErrors } from './published-errors.ts';

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

/**
 * Makes a callback that is refused for want of its transaction: a new login begins in its place, and
 * nothing of the answer is used.
 */
export async function expectUnknown(
  flow: Flow,
  callback: Hop,
  browser: Browser = flow.browser,
): Promise<void> {
  const [tokens, keys] = [flow.op.count('/token'), await flow.storeKeys()];
  let arrival: Arrival | undefined;
  const codes = await publishedErrors('refusal', async () => {
    arrival = await browser.navigate(callback, ({ url }) => new URL(url).pathname === '/authorize');
  });
  expect(codes).toEqual(['ERR_OIDC_TRANSACTION_UNKNOWN']);
  expect(new URL(arrival?.next?.url ?? 'none:').pathname).toBe('/authorize');
  expect(flow.op.count('/token')).toBe(tokens);
  expect(await flow.storeKeys()).toEqual(keys);
}
