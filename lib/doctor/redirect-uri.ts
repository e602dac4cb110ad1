import { createHash, randomBytes } from 'node:crypto';
import type { DiscoveredProvider } from '../oidc/provider.ts';
import type { ResolvedOptions, ResponseMode } from '../options.ts';
import { type Finding, fail, note, ok } from './finding.ts';

/** Characters of a page that are looked at: an OP's form, or its words about an error, are far shorter. */
const longestPage = 100_000;

/** Answers to `prompt=none` that mean: all is right, but nobody is signed in. Core 3.1.2.6. */
const nobodyThere: readonly string[] = [
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
];

const about = 'redirect URI';

/**
 * Asks for a login as this library does, with `prompt=none` and without a browser's cookies. An OP that knows
 * client and redirect URI answers there with an error (Core 3.1.2.6); one that does not must not go there
 * (RFC 6749 3.1.2.4), and shows a page of its own.
 */
export async function probeRedirectUri(
  { authorizationEndpoint, metadata }: DiscoveredProvider,
  options: ResolvedOptions,
  parameters: readonly (readonly [name: string, value: string])[],
  fetch: (url: string, init?: object) => Promise<Response>,
): Promise<Finding[]> {
  const isPushed = parameters.some(([name]) => name === 'request_uri');
  if (metadata.require_pushed_authorization_requests && !isPushed) {
    const found = 'not tried: the OP takes pushed authorization requests only, and none was pushed';
    return [note(about, found, 'give the credentials of the client, for which it takes one')];
  }
  const url = new URL(authorizationEndpoint);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  let response: Response;
  let text: string;
  try {
    response = await fetch(url.href, { headers: { accept: 'text/html' } });
    text = (await response.text()).slice(0, longestPage);
  } catch {
    return [note(about, 'cannot tell: the authorization endpoint gave no answer that can be read')];
  }
  const location = response.headers.get('location');
  const isUrl = location !== null && URL.canParse(location, url.href);
  const target = isUrl ? new URL(location, url) : undefined;
  const { redirectUri, clientId } = options;
  const arrived =
    target !== undefined && `${target.origin}${target.pathname}` === redirectUri
      ? new URLSearchParams(target.hash === '' ? target.search : target.hash.slice(1)).get('error')
      : errorOfForm(text, redirectUri);
  if (arrived !== undefined) return [answered(arrived, options)];
  const words = `${target?.search ?? ''} ${text}`.replace(/<[^<>]{0,1000}>/g, ' ');
  const isRefusal = response.status >= 400 || target?.searchParams.has('error') === true;
  // Names of the parameter, of Auth0's setting, and of Microsoft's error.
  if (isRefusal && /redirect[_ ]?ur[il]|callback ur[il]|AADSTS50011/i.test(words)) {
    return [
      fail(
        about,
        `the OP does not take ${redirectUri} for this client`,
        `register exactly ${redirectUri} (Auth0: "Allowed Callback URLs"), or correct --base-url`,
      ),
    ];
  }
  if (isRefusal && /client/i.test(words)) {
    return [fail('client', `the OP does not know the client ${clientId}`, 'correct --client-id')];
  }
  if (isRefusal) {
    const found = `the OP answers the authorization request with ${response.status} and a page of its own`;
    return [
      fail(about, found, `look at it in a browser; usually ${redirectUri} is not registered`),
    ];
  }
  return [note(about, 'cannot tell: the OP shows a page although it was asked to show none')];
}

function answered(error: string | null, { redirectUri, responseType }: ResolvedOptions): Finding {
  if (error === null || nobodyThere.includes(error)) {
    return ok(about, `the OP answers at ${redirectUri}, and takes the request as it is`);
  }
  const change: Partial<Record<string, string>> = {
    unsupported_response_type: `enable "${responseType}" for this client (hybrid flow, or implicit grant), or set "responseType"`,
    unauthorized_client: `enable "${responseType}" for this client (Auth0: grants "Authorization Code" and "Implicit")`,
    invalid_scope: 'take out of "scope" what this client may not ask for',
    invalid_target: 'correct "resource"',
  };
  const code = /^[a-z_]{1,60}$/.test(error) ? error : 'an error without a name';
  const found = `the OP answers at ${redirectUri}, and refuses the request: ${code}`;
  // `access_denied` and the like depend on who is there, and nobody is.
  return change[error] === undefined ? note(about, found) : fail(about, found, change[error]);
}

/** Of a form_post answer: `undefined` where the page has no form to the redirect URI. */
function errorOfForm(text: string, redirectUri: string): string | null | undefined {
  const plain = text
    .replace(/&#x2f;|&#47;/gi, '/')
    .replace(/&#x3a;|&#58;/gi, ':')
    .replace(/&amp;/g, '&');
  const isThere = [...plain.matchAll(/\baction ?= ?["']([^"']{0,2000})["']/gi)].some(
    ([, action]) => action === redirectUri,
  );
  if (!isThere) return undefined;
  const inputs = [...plain.matchAll(/<input\b[^<>]{0,10000}>/gi)].map(([input]) => input);
  const input = inputs.find((one) => /\bname ?= ?["']error["']/i.test(one)) ?? '';
  return /\bvalue ?= ?["']([^"']*)["']/i.exec(input)?.[1] ?? null;
}

/** An authorization request as this library makes them, but for `prompt=none`. */
export function requestParameters(
  options: ResolvedOptions,
  mode: ResponseMode,
): [name: string, value: string][] {
  const random = (): string => randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(random()).digest('base64url');
  return [
    ['client_id', options.clientId],
    ['redirect_uri', options.redirectUri],
    ['response_type', options.responseType],
    ['response_mode', mode],
    ['scope', options.scope],
    ['state', random()],
    ['nonce', random()],
    ['code_challenge', challenge],
    ['code_challenge_method', 'S256'],
    ['prompt', 'none'],
    ...(options.audience === undefined
      ? []
      : [['audience', options.audience] satisfies [string, string]]),
    ...options.resources.map((resource): [string, string] => ['resource', resource]),
  ];
}
