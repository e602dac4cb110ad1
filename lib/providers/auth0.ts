import type {
  AllowedOrganizations,
  EndSessionUrl,
  HybridFlowOptions,
  LogoutAtOp,
} from '../options.ts';
import { mergeParams, type PresetOptions, readHost, withPreset } from './preset.ts';

/** Options of {@link auth0}: those of `hybridFlow()`, and what Auth0 has besides. */
export type Auth0Options = PresetOptions & {
  /** Domain of the tenant, `tenant.eu.auth0.com`, or a custom one. */
  domain: string;
  /** Identity provider that the login goes to. Wire name: `connection`. */
  connection?: string | undefined;
  /** Page that the login begins with: `signup`, `login`. Wire name: `screen_hint`. */
  screenHint?: string | undefined;
  /** Space-separated languages of the sign-in pages. Wire name: `ui_locales`. */
  uiLocales?: string | undefined;
  /**
   * Where a logout leads: `oidc` to the endpoint in the discovery document, `v2` to Auth0's own
   * `/v2/logout`. @default 'oidc' where the tenant publishes it, else 'v2'
   */
  logout?: 'oidc' | 'v2' | undefined;
  /** Whether a logout also signs out at the identity provider behind Auth0. @default false */
  federated?: boolean | undefined;
};

/** With an organization is let in who asked for it. Auth0: Work with Tokens and Organizations. */
const askedOnly: AllowedOrganizations = ({ asked }) => asked !== undefined;

/**
 * Options for an application at Auth0: `hybridFlow(auth0({ domain, … }))`.
 *
 * The issuer has its slash at the end. An invitation link to the login route goes on to Auth0. Who
 * comes back with an organization that was not asked for is refused, unless `allowedOrganizations` says
 * otherwise. What the application gives takes the place of all of it.
 *
 * @throws {@link OptionsError} when `domain` is no host name
 * @see {@link https://auth0.com/docs/get-started/authentication-and-authorization-flow/hybrid-flow/call-your-api-using-the-hybrid-flow Call Your API Using the Hybrid Flow}
 */
export function auth0(options: Auth0Options): HybridFlowOptions {
  const { domain, connection, screenHint, uiLocales, logout, federated, ...given } = options;
  const issuer = given.issuer ?? `https://${readHost('domain', domain, 'tenant.eu.auth0.com')}/`;
  const own = { connection, screen_hint: screenHint, ui_locales: uiLocales };
  const preset = {
    issuer,
    allowedOrganizations: askedOnly,
    loginParams: ['invitation', 'organization'],
    endSessionUrl: endSessionUrl(issuer, logout, federated ?? false),
  };
  return withPreset(preset, {
    ...given,
    authorizationParams: mergeParams(own, given.authorizationParams),
  });
}

/**
 * @see {@link https://auth0.com/docs/authenticate/login/logout/log-users-out-of-auth0 Log Users Out of Auth0}
 * @see {@link https://auth0.com/docs/authenticate/login/logout/log-users-out-of-idps Log Users Out of Identity Providers}
 */
function endSessionUrl(
  issuer: string,
  logout: Auth0Options['logout'],
  federated: boolean,
): EndSessionUrl {
  return (request) => {
    const wanted = logout ?? (request.url === undefined ? 'v2' : 'oidc');
    const url = wanted === 'v2' ? legacyUrl(issuer, request) : request.url;
    // A parameter without a value, as Auth0 writes it.
    return federated && url !== undefined ? `${url}&federated` : url;
  };
}

/** The state goes with the address: Auth0 compares it without its query. */
function legacyUrl(issuer: string, request: LogoutAtOp): string {
  const returnTo = new URL(request.postLogoutRedirectUri);
  returnTo.searchParams.set('state', request.state);
  const url = new URL('v2/logout', issuer);
  url.searchParams.set('client_id', request.clientId);
  url.searchParams.set('returnTo', returnTo.href);
  return url.href;
}
