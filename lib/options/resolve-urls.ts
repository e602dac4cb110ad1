import { OptionsError } from '../errors.ts';
import { defaultOptions, type HybridFlowOptions, type ResolvedOptions } from '../options.ts';
import { invalid, readBoolean, readText, required } from './option-values.ts';

/** Who we talk to, and where browsers find us. */
type UrlOptions = Pick<
  ResolvedOptions,
  | 'issuer'
  | 'baseUrl'
  | 'origin'
  | 'basePath'
  | 'isSecure'
  | 'redirectUri'
  | 'postLogoutRedirectUri'
  | 'trustedOrigins'
  | 'initiateLogin'
  | 'allowInsecureRequests'
  | PathOption
>;

/**
 * Checks the URLs of the OP and of the application.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`, `ERR_OIDC_OPTION_MISSING`
 */
export function resolveUrls(options: HybridFlowOptions): UrlOptions {
  const allowInsecureRequests = readBoolean(options, 'dangerouslyAllowInsecureRequests') ?? false;
  const issuer = required(options, 'issuer');
  readUrl('issuer', issuer, allowInsecureRequests);
  const baseUrl = readUrl('baseUrl', required(options, 'baseUrl'), allowInsecureRequests);
  if (baseUrl.search !== '') throw invalid('baseUrl', 'a URL without a query', options.baseUrl);
  const base = baseUrl.href.replace(/\/+$/, '');
  const paths = readPaths(options);
  return {
    // Verbatim: issuer identifiers are compared as strings, so a slash more or less matters.
    issuer,
    baseUrl: base,
    origin: baseUrl.origin,
    basePath: base.slice(baseUrl.origin.length),
    isSecure: baseUrl.protocol === 'https:',
    ...paths,
    redirectUri: `${base}${paths.callbackPath}`,
    postLogoutRedirectUri: `${base}${paths.postLogoutPath}`,
    initiateLogin: readBoolean(options, 'initiateLogin') ?? false,
    trustedOrigins: readTrustedOrigins(options),
    allowInsecureRequests,
  };
}

function readUrl(name: string, value: string, allowInsecureRequests: boolean): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.username || url?.password || url?.hash) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      name,
      `"${name}" must be a URL without credentials and without a fragment`,
    );
  }
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(name, 'an absolute https URL', value);
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowInsecureRequests) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      name,
      `"${name}" must be https: "http" is accepted for localhost, 127.0.0.1 and [::1] only`,
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

const pathOptions = [
  'loginPath',
  'initiateLoginPath',
  'callbackPath',
  'logoutPath',
  'postLogoutPath',
  'backchannelLogoutPath',
  'frontchannelLogoutPath',
] as const;

type PathOption = (typeof pathOptions)[number];

/** @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` */
export function readPaths(options: HybridFlowOptions): Pick<ResolvedOptions, PathOption> {
  const paths = pathOptions.map((name) => {
    const path = readText(options, name) ?? defaultOptions[name];
    // Literal paths only: Express 4 and 5 read patterns differently.
    if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path)) {
      throw invalid(
        name,
        'a path such as "/login", of letters, digits, ".", "_", "~" and "-"',
        path,
      );
    }
    return path;
  });
  if (new Set(paths).size !== paths.length) {
    throw new OptionsError(
      'ERR_OIDC_OPTION_INVALID',
      'callbackPath',
      `${pathOptions.map((name) => `"${name}"`).join(', ')} must differ from each other`,
    );
  }
  const named = pathOptions.map((name, index) => [name, paths[index]]);
  return Object.fromEntries(named) as Pick<ResolvedOptions, PathOption>;
}

function readTrustedOrigins(options: HybridFlowOptions): readonly string[] {
  const { trustedOrigins = [] } = options;
  const isOrigin = (value: unknown): boolean =>
    typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
  if (!Array.isArray(trustedOrigins) || !trustedOrigins.every(isOrigin)) {
    throw invalid(
      'trustedOrigins',
      'an array of origins such as "https://app.example"',
      trustedOrigins,
    );
  }
  return Object.freeze([...trustedOrigins]);
}
