/** A request that the browser is about to make. */
export interface Hop {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Origin of the page that caused it; `undefined` for one that was typed in. */
  readonly from: string | undefined;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What the browser does next by itself: a redirect, a form that submits itself, a refresh. */
export function nextHop(
  hop: Hop,
  { headers, text }: { headers: Record<string, string>; text: string },
): Hop | undefined {
  const { location } = headers;
  if (location !== undefined) {
    // A redirect was caused by whoever caused the request before it.
    return { method: 'GET', url: new URL(location, hop.url).href, from: hop.from };
  }
  const from = new URL(hop.url).origin;
  const refresh = /<meta http-equiv="refresh" content="\d;url=([^"]*)"/.exec(text)?.[1];
  if (refresh !== undefined) {
    return { method: 'GET', url: new URL(decode(refresh), hop.url).href, from };
  }
  const form = /<form method="post" action="([^"]*)"/.exec(text)?.[1];
  if (form === undefined || !/submit(\.call)?\(/.test(text)) return undefined;
  if (text.includes('name="oidc_fragment"')) return fragmentHop(hop, from);
  const inputs = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']): [string, string] => [decode(name), decode(value)],
  );
  const body = new URLSearchParams(inputs).toString();
  return { method: 'POST', url: new URL(decode(form), hop.url).href, from, body };
}

/** What the script on the page of a fragment response does. */
function fragmentHop({ url }: Hop, from: string): Hop {
  const { hash, pathname } = new URL(url);
  const page = `${from}${pathname}`;
  if (hash === '') return { method: 'GET', url: `${page}?oidc_fragment=`, from };
  const body = new URLSearchParams({ oidc_fragment: hash.slice(1) }).toString();
  return { method: 'POST', url: page, from, body };
}

function decode(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

/** What browsers send as `Sec-Fetch-Site`. */
export function siteRelation({
  url,
  from,
}: Hop): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (from === undefined) return 'none';
  if (new URL(url).origin === from) return 'same-origin';
  return siteOf(url) === siteOf(from) ? 'same-site' : 'cross-site';
}

/** Scheme and host: `localhost` and `127.0.0.1` are two sites, and ports make no difference. */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}`;
}
