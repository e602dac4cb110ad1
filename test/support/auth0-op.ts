import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Adapter,
  type AdapterPayload,
  type ClientMetadata,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { confirmedAtOnce } from './certified-op.ts';
import { type HostedOp, hostedApi, startHostedOp } from './hosted-op.ts';

/** What a test says about the tenant and its one application. */
export interface Auth0OpOptions {
  redirectUris: readonly string[];
  /** "Allowed Logout URLs". */
  postLogoutRedirectUris: readonly string[];
  /** How the application authenticates: basic and post, or by a key. */
  client?: Partial<ClientMetadata>;
  /** Whether the discovery document names the logout endpoint. @default true */
  publishesLogout?: boolean;
}

/** A tenant of Auth0, as its documentation describes it. */
export interface Auth0Op extends HostedOp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Organizations by their ids. */
  readonly organizations: Readonly<Record<string, string>>;
  /** Ticket and organization. */
  readonly invitation: { readonly invitation: string; readonly organization: string };
  /** What a test may change while it runs. */
  readonly settings: {
    /** Seconds in which the last spent refresh token is taken again. */
    leeway: number;
    /** "Allow Organization Names in Authentication API". */
    hasOrganizationNames: boolean;
    /** What the visitor picks at the organization prompt. */
    pickedOrganization: string | undefined;
    /** Puts these claims over those of the login. */
    claims: Record<string, unknown>;
  };
  /** Logouts, by the endpoint that they came to. */
  readonly logouts: { path: string; parameters: Record<string, string> }[];
}

const clientId = 'auth0-client';
const clientSecret = 'a secret of the application at Auth0, of more than 64 characters in all';
const organizations: Record<string, string> = { org_acme: 'acme', org_other: 'other' };
const invitation = { invitation: 'ticket-of-acme', organization: 'org_acme' };
/** What `offline_access` is called inside, as oidc-provider would want a consent for that. */
const offlineScope = 'offline';
const connections = ['google-oauth2', 'Username-Password-Authentication'];

/** Starts the tenant. Everybody is Ada, and has every scope that is asked for. */
export async function startAuth0Op(options: Auth0OpOptions): Promise<Auth0Op> {
  const settings: Auth0Op['settings'] = {
    leeway: 30,
    hasOrganizationNames: false,
    pickedOrganization: undefined,
    claims: {},
  };
  const logouts: Auth0Op['logouts'] = [];
  const organizationOfGrant = new Map<string, string>();
  const op = await startHostedOp({
    // https://auth0.com/docs/get-started/applications/configure-applications-with-oidc-discovery
    // The issuer has a slash at its end.
    issuerPath: '/',
    configuration: () => ({
      ...tenant(options),
      extraParams: parameterChecks(settings),
      findAccount: (ctx, sub, token) => ({
        accountId: sub,
        claims: () => {
          const organization = organizationOf(ctx, token?.grantId, organizationOfGrant, settings);
          return {
            sub,
            name: 'Ada Marwick',
            email: 'ada@shop.example',
            ...organizationClaims(organization, settings),
            ...settings.claims,
          };
        },
      }),
    }),
    // https://auth0.com/docs/api/authentication/logout/auth0-logout
    answer: (url, req, res) => answerLogout(url, req, res, options, logouts),
    // https://auth0.com/docs/get-started/apis/api-settings
    // An API is named by `audience`, which oidc-provider calls `resource`.
    rename: (query) => {
      const audience = query.get('audience');
      if (audience !== null) query.set('resource', audience);
      const scope = query.get('scope')?.replace(/\boffline_access\b/, offlineScope);
      if (scope !== undefined) query.set('scope', scope);
    },
    // https://auth0.com/docs/get-started/authentication-and-authorization-flow/hybrid-flow/call-your-api-using-the-hybrid-flow
    // A refresh token comes with `offline_access` only.
    isOffline: (scopes) => scopes.has(offlineScope),
    reword: refuseInOwnWords,
    signIn: () => ({ accountId: 'auth0|ada' }),
    refreshTokens: (store) => withLeeway(store, settings),
  });
  return { ...op, clientId, clientSecret, organizations, invitation, settings, logouts };
}

function tenant(options: Auth0OpOptions): Configuration {
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
        application_type: 'native',
        response_types: ['code', 'code id_token', 'code token', 'code id_token token'],
        grant_types: ['authorization_code', 'implicit', 'refresh_token'],
        redirect_uris: [...options.redirectUris],
        post_logout_redirect_uris: [...options.postLogoutRedirectUris],
        ...options.client,
      },
    ],
    // https://auth0.com/docs/get-started/applications/configure-applications-with-oidc-discovery
    routes: {
      authorization: '/authorize',
      token: '/oauth/token',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
      revocation: '/oauth/revoke',
      end_session: '/oidc/logout',
    },
    // https://auth0.com/docs/get-started/applications/signing-algorithms
    enabledJWA: { idTokenSigningAlgValues: ['HS256', 'RS256', 'PS256'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    pkce: { required: () => false },
    scopes: ['openid', offlineScope],
    claims: {
      openid: ['sub', 'org_id', 'org_name', 'sid'],
      profile: ['name'],
      email: ['email'],
    },
    // https://auth0.com/docs/secure/tokens/refresh-tokens/refresh-token-rotation
    rotateRefreshToken: true,
    features: {
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        // https://auth0.com/docs/authenticate/login/logout/log-users-out-of-auth0
        // In the discovery document by a setting of the tenant.
        enabled: options.publishesLogout ?? true,
        logoutSource: (ctx, form) => {
          ctx.body = confirmedAtOnce(form);
        },
      },
    },
  };
}

/** Each parameter that the documentation has besides the standard's, with what it may say. */
function parameterChecks(settings: Auth0Op['settings']): Configuration['extraParams'] {
  const refuse = (condition: boolean, description: string): void => {
    if (!condition) throw new errors.InvalidRequest(description);
  };
  return {
    // https://auth0.com/docs/get-started/authentication-and-authorization-flow/hybrid-flow/call-your-api-using-the-hybrid-flow
    // The identifier of an API that the tenant has. The error: https://github.com/auth0/docs/pull/6077
    audience: (_ctx, value) => {
      if (value === undefined || value === hostedApi) return;
      throw new errors.AccessDenied(`Service not found: ${value}`);
    },
    // https://auth0.com/docs/manage-users/organizations/configure-organizations/use-org-name-authentication-api
    // An id, and by a setting of the tenant a name.
    organization: (_ctx, value) => {
      const isName =
        settings.hasOrganizationNames && Object.values(organizations).includes(value ?? '');
      const isKnown = value === undefined || value in organizations || isName;
      refuse(isKnown, `parameter organization is invalid`);
    },
    // https://auth0.com/docs/manage-users/organizations/configure-organizations/invite-members
    // A ticket goes with its organization.
    invitation: (ctx, value) => {
      if (value === undefined) return;
      const asked = String(ctx.oidc.params?.['organization']);
      const isKnown = value === invitation.invitation && asked === invitation.organization;
      refuse(isKnown, 'parameter invitation is invalid');
    },
    // https://auth0.com/docs/api/authentication/login/authorization-code-flow
    connection: (_ctx, value) => {
      refuse(value === undefined || connections.includes(value), 'the connection was not found');
    },
    // https://auth0.com/docs/authenticate/login/auth0-universal-login/new-experience
    screen_hint: (_ctx, value) => {
      refuse(value === undefined || ['signup', 'login'].includes(value), 'unknown screen_hint');
    },
  };
}

function organizationOf(
  ctx: KoaContextWithOIDC,
  grantId: string | undefined,
  known: Map<string, string>,
  settings: Auth0Op['settings'],
): string | undefined {
  const { route, params, entities } = ctx.oidc;
  if (route === 'token') return known.get(grantId ?? '');
  const asked = params?.['organization'] ?? settings.pickedOrganization;
  if (typeof asked !== 'string') return undefined;
  const id = Object.keys(organizations).find(
    (key) => key === asked || organizations[key] === asked,
  );
  const { jti } = entities.Grant ?? {};
  if (id !== undefined && jti !== undefined) known.set(jti, id);
  return id;
}

// https://auth0.com/docs/manage-users/organizations/using-tokens
function organizationClaims(
  id: string | undefined,
  { hasOrganizationNames }: Auth0Op['settings'],
): Record<string, unknown> {
  if (id === undefined) return {};
  return hasOrganizationNames ? { org_id: id, org_name: organizations[id] } : { org_id: id };
}

/**
 * A spent refresh token that comes again ends its whole family, but for the last one spent within the
 * leeway.
 *
 * https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation
 */
function withLeeway(store: Adapter, settings: Auth0Op['settings']): Adapter {
  const newest = new Map<string, number>();
  const rotations = (payload: AdapterPayload): number => Number(payload['rotations'] ?? 0);
  return {
    ...store,
    async upsert(id, payload, expiresIn) {
      newest.set(String(payload.grantId), rotations(payload));
      await store.upsert(id, payload, expiresIn);
    },
    async find(id) {
      const payload = await store.find(id);
      if (!payload?.consumed) return payload;
      const isLastSpent = newest.get(String(payload.grantId)) === rotations(payload) + 1;
      const isInTime = Date.now() / 1000 - Number(payload.consumed) <= settings.leeway;
      if (!isLastSpent || !isInTime) return payload;
      const { consumed: _consumed, ...unspent } = payload;
      return unspent;
    },
  };
}

/**
 * A wrong secret is not `invalid_client` there.
 *
 * https://github.com/auth0/node-auth0/issues/682
 */
function refuseInOwnWords(ctx: KoaContextWithOIDC): void {
  if ((ctx.body as { error?: unknown } | undefined)?.error !== 'invalid_client') return;
  ctx.status = 401;
  ctx.remove('www-authenticate');
  ctx.body = { error: 'access_denied', error_description: 'Unauthorized' };
}

/** https://auth0.com/docs/authenticate/login/logout/redirect-users-after-logout */
function answerLogout(
  url: URL,
  _req: IncomingMessage,
  res: ServerResponse,
  { postLogoutRedirectUris }: Auth0OpOptions,
  logouts: Auth0Op['logouts'],
): boolean {
  const parameters = Object.fromEntries(url.searchParams);
  if (url.pathname === '/oidc/logout') logouts.push({ path: url.pathname, parameters });
  if (url.pathname !== '/v2/logout') return false;
  // The address is compared without its query.
  const [returnTo = ''] = (parameters['returnTo'] ?? '').split('?');
  if (parameters['client_id'] !== clientId || !postLogoutRedirectUris.includes(returnTo)) {
    res.writeHead(400).end('The "returnTo" querystring parameter is not defined as a valid URL');
    return true;
  }
  logouts.push({ path: url.pathname, parameters });
  const expired = ['_session', '_session.sig'].map((name) => `${name}=; path=/; max-age=0`);
  res.writeHead(302, { location: parameters['returnTo'] ?? '', 'set-cookie': expired }).end();
  return true;
}
