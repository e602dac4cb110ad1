import type { Request } from 'express';
import type { ResolvedOptions } from '../options.ts';
import { withoutArrivalMark } from './arrival-mark.ts';
import { readQuery } from './callback-parameters.ts';

type PathOptions = Pick<
  ResolvedOptions,
  | 'origin'
  | 'basePath'
  | 'loginPath'
  | 'initiateLoginPath'
  | 'callbackPath'
  | 'logoutPath'
  | 'postLogoutPath'
>;

/** Longest path that is remembered over a login; it travels in a cookie, of which browsers take 4 KB. */
const maxLength = 2048;

/**
 * A path of this application, in one spelling that browsers cannot read otherwise; `undefined`
 * for everything else: other origins, `//host`, backslashes, control characters, and the routes
 * of the flow itself, which would log in again or out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.11 RFC 9700 section 4.11}
 */
export function safeReturnPath(raw: unknown, options: PathOptions): string | undefined {
  const path = safeArrivalPath(raw, options);
  return path === undefined || isRoute(path, options.loginPath, options) ? undefined : path;
}

/**
 * {@link safeReturnPath}, which may be the login route as well. No other route of the flow: who is led there by us
 * comes as from a page of our own, and the logout route would not ask first.
 */
export function safeArrivalPath(raw: unknown, options: PathOptions): string | undefined {
  const path = safePath(raw, options);
  const { initiateLoginPath, callbackPath, logoutPath, postLogoutPath } = options;
  const routes = [initiateLoginPath, callbackPath, logoutPath, postLogoutPath];
  const isOfFlow = path !== undefined && routes.some((route) => isRoute(path, route, options));
  return isOfFlow ? undefined : path;
}

function safePath(raw: unknown, options: Pick<ResolvedOptions, 'origin'>): string | undefined {
  if (typeof raw !== 'string' || raw.length > maxLength) return undefined;
  // Browsers drop tabs and newlines and take "\" for "/"; no path of an application needs either.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!raw.startsWith('/') || /[\u0000-\u0020\u007f\\]/.test(raw)) return undefined;
  // "//[" is a host that is none.
  if (!URL.canParse(raw, options.origin)) return undefined;
  const url = new URL(raw, options.origin);
  // "//host" is another one.
  if (url.origin !== options.origin) return undefined;
  const path = `${url.pathname}${url.search}${url.hash}`;
  // "/.//host" becomes "//host" on parsing.
  return path.startsWith('//') || path.length > maxLength ? undefined : path;
}

/** Where `?return_to=` of a login or logout leads: to the start page, if it is no path of ours. */
export function wantedReturnPath(req: Request, options: PathOptions): string {
  const wanted = readQuery(req).find(([name]) => name === 'return_to')?.[1];
  return safeReturnPath(wanted, options) ?? defaultReturnPath(options);
}

/**
 * The path of a URL that another site gives, if it is one of this application and below `baseUrl`;
 * `undefined` for everything else.
 */
export function safeTargetPath(raw: string, options: PathOptions): string | undefined {
  const { origin, basePath } = options;
  if (!raw.startsWith(`${origin}${basePath}`) || !URL.canParse(raw)) return undefined;
  const { origin: found, pathname } = new URL(raw);
  // "https://app.example.evil.example", "https://app.example@evil.example" begin like it, too.
  if (found !== origin || !`${pathname}/`.startsWith(`${basePath}/`)) return undefined;
  const path = raw.slice(origin.length);
  return safeReturnPath(path.startsWith('/') ? path : `/${path}`, options);
}

/** Where a visitor goes who came from nowhere. */
export function defaultReturnPath(options: Pick<ResolvedOptions, 'basePath'>): string {
  return `${options.basePath}/`;
}

/** The path of this request as the browser sees it, as one to return to after a login. */
export function requestedPath(req: Request, options: PathOptions): string | undefined {
  return safeReturnPath(withoutArrivalMark(visiblePath(req, options)), options);
}

/** A proxy in front may have taken the path of `baseUrl` away. */
export function visiblePath(
  { originalUrl }: Request,
  { basePath }: Pick<ResolvedOptions, 'basePath'>,
): string {
  const isComplete = originalUrl === basePath || /^[/?]/.test(originalUrl.slice(basePath.length));
  const hasBase = originalUrl.startsWith(basePath) && isComplete;
  return hasBase ? originalUrl : `${basePath}${originalUrl}`;
}

function isRoute(
  returnPath: string,
  route: string,
  { basePath }: Pick<ResolvedOptions, 'basePath'>,
): boolean {
  const [pathname = ''] = returnPath.split(/[?#]/);
  // From the first slash of a row only, or a long row takes quadratic time.
  const path = pathname.replace(/(?<!\/)\/+$/, '').toLowerCase();
  return [route, `${basePath}${route}`].some((own) => own.toLowerCase() === path);
}
