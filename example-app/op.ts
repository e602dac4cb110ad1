import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import express, { type Express } from 'express';
import { exportJWK, generateKeyPair } from 'jose';
import { type Configuration, type JWK, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { claimsOf, findAccount } from './op-accounts.ts';
import { mountInteractions } from './op-interactions.ts';
import { errorPage, pagePolicy, signedOutPage, signOutPage } from './op-pages.ts';
import { createOpStore } from './op-store.ts';
import type { Settings } from './settings.ts';

/**
 * A local OpenID Provider, so that the example runs without an account anywhere.
 *
 * It behaves like a hosted one where it matters to the shop: another site, all four response types,
 * form_post, PKCE demanded, refresh tokens that may be used once, access tokens of a minute.
 */
export async function createOp(settings: Settings): Promise<Express> {
  const provider = new Provider(settings.issuer, {
    ...(await createConfiguration(settings)),
    features: createFeatures(settings),
    // Its own would refuse to call this machine's addresses, as it should anywhere else.
    fetch: (url, { dispatcher, ...options } = {}) => fetch(url, options),
  });
  provider.use(honorOfflineAccess);
  provider.on('server_error', (_ctx, error) => console.error('local OP failed:', error));

  const op = express();
  op.disable('x-powered-by');
  for (const file of ['op.css', 'op-icon.svg']) {
    op.get(`/${file}`, (_req, res) => res.sendFile(file, { root: publicFolder }));
  }
  mountInteractions(op, provider, settings);
  // No helmet and no CSP before this: the page that form_posts the answer to the shop sends itself
  // by an inline script, to another origin. A policy made for pages in general would stop it.
  op.use(provider.callback());
  return op;
}

const publicFolder = fileURLToPath(new URL('../public', import.meta.url));
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

async function createConfiguration(settings: Settings): Promise<Configuration> {
  return {
    adapter: createOpStore(),
    clients: [createClient(settings)],
    jwks: { keys: [await createKey('RS256'), await createKey('ES256')] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    responseTypes: ['code', 'code id_token', 'code token', 'code id_token token'],
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    claims: { profile: ['name', 'given_name', 'family_name'], email: ['email', 'email_verified'] },
    // Puts the claims of "profile" and "email" into the ID Token, as the hosted OPs do; OIDC Core
    // 5.4 would leave them to the userinfo endpoint.
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => {
      const account = findAccount(sub);
      return account && { accountId: sub, claims: () => claimsOf(account) };
    },
    loadExistingGrant: grantEverything,
    rotateRefreshToken: true,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.set('Content-Security-Policy', pagePolicy(settings.baseUrl));
      ctx.body = errorPage(out.error_description ?? out.error, settings.issuer, settings.baseUrl);
    },
    clientBasedCORS: () => false,
    ttl: {
      AccessToken: settings.accessTokenSeconds,
      AuthorizationCode: minute,
      IdToken: 10 * minute,
      Interaction: 10 * minute,
      RefreshToken: day,
      Grant: day,
      Session: day,
    },
  };
}

function createFeatures(settings: Settings): NonNullable<Configuration['features']> {
  const show = (ctx: KoaContextWithOIDC, html: string): void => {
    ctx.set('Content-Security-Policy', pagePolicy(settings.baseUrl));
    ctx.body = html;
  };
  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    pushedAuthorizationRequests: { enabled: false },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => show(ctx, signOutPage(form, settings.issuer)),
      postLogoutSuccessSource: (ctx) => show(ctx, signedOutPage(settings.issuer)),
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'orders:read orders:write',
        audience: settings.apiAudience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: settings.accessTokenSeconds,
        jwt: { sign: { alg: 'RS256' } },
      }),
      // The API is named once, when the login begins; code exchange and refresh mean the same one.
      useGrantedResource: () => true,
    },
  };
}

function createClient(settings: Settings): NonNullable<Configuration['clients']>[number] {
  return {
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    client_name: 'Halyard',
    // A web server all the same. But to a "web" client oidc-provider refuses plain http redirect
    // URIs, loopback too, as soon as a response type brings tokens through the browser.
    application_type: 'native',
    response_types: ['code', 'code id_token', 'code token', 'code id_token token'],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
    redirect_uris: [`${settings.baseUrl}/callback`],
    post_logout_redirect_uris: [`${settings.baseUrl}/logout/callback`],
    backchannel_logout_uri: `${settings.baseUrl}/backchannel-logout`,
    backchannel_logout_session_required: true,
  };
}

async function createKey(alg: 'RS256' | 'ES256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(8).toString('base64url');
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid } as JWK;
}

/**
 * There is no consent screen: shop and OP are of one house, so whatever the shop asks for is granted
 * here, each time. An OP with foreign clients would look the customer's decision up instead.
 */
async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const scope = typeof params?.['scope'] === 'string' ? params['scope'] : 'openid';
  grant.addOIDCScope(scope);
  for (const resource of [params?.['resource'] ?? []].flat()) {
    grant.addResourceScope(String(resource), scope);
  }
  await grant.save();
  return grant;
}

/**
 * Lets `offline_access` count without `prompt=consent`.
 *
 * OIDC Core 11 wants the prompt, oidc-provider drops the scope without it, and Auth0 and PingOne do
 * not ask for it. So the prompt is added on the way in, and `op-interactions.ts` answers it.
 */
async function honorOfflineAccess(
  ctx: KoaContextWithOIDC,
  next: () => Promise<void>,
): Promise<void> {
  const scope = String(ctx.query['scope'] ?? '').split(' ');
  if (ctx.path === '/auth' && scope.includes('offline_access') && !ctx.query['prompt']) {
    ctx.query = { ...ctx.query, prompt: 'consent' };
  }
  await next();
}
