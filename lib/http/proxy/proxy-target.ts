import { OptionsError, ProxyError } from '../../errors.ts';

/** The one place that a proxy sends requests to. */
export interface ProxyTarget {
  readonly origin: string;
  /** Path that requests go below; without a slash at its end. */
  readonly prefix: string;
}

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING` */
export function readProxyTarget(target: unknown, isInsecureAllowed: boolean): ProxyTarget {
  if (target === undefined) {
    throw new OptionsError('ERR_OIDC_OPTION_MISSING', 'proxy.target', '"target" is required');
  }
  const url = typeof target === 'string' && URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw invalid('must be a URL');
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw invalid('must be an origin and a path, and nothing else');
  }
  // RFC 6750 5.3: who reads the token on its way can use it.
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !isInsecureAllowed) {
    throw invalid(
      'must be https beyond loopback, as it is sent bearer tokens; see dangerouslyAllowInsecureTarget',
    );
  }
  const prefix = url.pathname.replace(/\/+$/, '');
  return { origin: url.origin, prefix };
}

/**
 * Path and query at the target for the URL of a request, to the letter, but refused where a server could
 * take it for a path outside the target's: it would be asked for with the token all the same.
 *
 * @throws {@link ProxyError} `ERR_OIDC_PROXY_PATH`
 */
export function pathWithin({ prefix }: ProxyTarget, url: string): string {
  const [path = ''] = url.split('?', 1);
  // What a server sees in a request line: no URL with a host, no "*", no fragment.
  if (!path.startsWith('/') || path.includes('#') || climbs(path)) {
    throw new ProxyError(
      'ERR_OIDC_PROXY_PATH',
      'the path of a proxied request must be one that every server reads in the same way: without ".", ".." and "\\" in any encoding',
    );
  }
  return prefix + url;
}

/** Decoded so often, as servers behind servers do. */
const decodings = 3;

/** Whether a path may lead upwards, for whoever decodes it, once or again, or takes "\\" for "/". */
function climbs(path: string): boolean {
  let text = path;
  for (let decoding = 0; decoding <= decodings; decoding += 1) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\\\u0000-\u001f\u007f]/.test(text) || text.split('/').some(isDots)) return true;
    const decoded = decodePath(text);
    // Malformed as it came, or a dot in more bytes than it takes, for whoever decodes once again.
    if (decoded === undefined && (decoding === 0 || /%c[01]/i.test(text))) return true;
    const next = decoded ?? decodeBytes(text);
    if (next === text) return false;
    text = next;
  }
  return true;
}

/** As servers see it that drop parameters ("..;a") or white space. */
function isDots(segment: string): boolean {
  return /^\s*\.{1,2}\s*(;|$)/.test(segment);
}

function decodePath(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** As servers do that leave a "%" which stands for itself, and decode the rest. */
function decodeBytes(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_found, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function invalid(what: string): OptionsError {
  return new OptionsError('ERR_OIDC_OPTION_INVALID', 'proxy.target', `"target" ${what}`);
}
