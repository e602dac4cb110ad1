import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import {
  type AdapterPayload,
  type ClientMetadata,
  type Configuration,
  interactionPolicy,
  type JWK,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { listenTls } from '../../lib/testing/listen-tls.ts';
import type { Certificate } from './certificate.ts';
import { createCertifiedOpStore } from './certified-op-store.ts';
import { listen } from './listen.ts';
import { createLoopbackFetch } from './loopback-fetch.ts';

/** What a test says about the OP and its one client. */
export interface CertifiedOpOptions {
  /** What a test changes in the configuration of oidc-provider, features and clients excepted. */
  configuration?: Partial<Configuration>;
  features?: Readonly<Record<string, unknown>>;
  /** Metadata of the client, over those that it has anyway. */
  client?: Readonly<Record<string, unknown>>;
  /** Further clients by their ids: what they have that the first has not. */
  clients?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Algorithms of its keys. @default ES256 alone */
  algorithms?: readonly string[];
  /** Whom it signs in. @default 'ada' */
  subject?: string;
  /** Teaches it more: grants of its own. */
  extend?: (provider: Provider) => void;

  redirectUris: readonly string[];
  postLogoutRedirectUris: readonly string[];
  /** Life of an access token, in whole seconds. @default 3600 */
  accessTokenSeconds?: number;
  /** Makes it an https server. */
  certificate?: Certificate & ServerOptions;
  /** Where it says that a session has ended. */
  backchannelLogoutUri?: string;
  /** Host in the issuer; one that leads to loopback. @default '127.0.0.1' */
  host?: string;
}

/** An OP that is certified by the OpenID Foundation: oidc-provider, with nobody to ask. */
export interface CertifiedOp {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The API that JWT access tokens are for: ask for it by the parameter `resource`. */
  readonly audience: string;
  readonly jwksUri: string;
  /** Reaches it and its neighbors on this machine, https included. */
  readonly fetch: typeof globalThis.fetch;
  /** Grants that the token endpoint gave, by their type, and how often it refused one. */
  readonly grants: { authorization_code: number; refresh_token: number; refused: number };
  /** For another server that leads to it. */
  answer(req: IncomingMessage, res: ServerResponse): void;
  close(): Promise<void>;
}

const clientId = 'certified-client';
const clientSecret = 'a secret of the client at the certified OP';
const audience = 'https://api.example';

/**
 * Starts the OP. It signs everybody in as one user and grants whatever is asked for; the authorization
 * parameter `login_hint=cancel` makes the visitor refuse. A refresh token may be used once.
 */
export async function startCertifiedOp(options: CertifiedOpOptions): Promise<CertifiedOp> {
  const { certificate, host = '127.0.0.1', subject = 'ada' } = options;
  const listening = certificate ? await listenTls(certificate) : await listen();
  const issuer = `${certificate ? 'https' : 'http'}://${host}:${listening.port}`;
  const loopback = createLoopbackFetch(certificate?.cert);
  const provider = new Provider(issuer, {
    ...(await createConfiguration(options)),
    // Its own would refuse this machine's addresses, as it should anywhere else.
    fetch: loopback.fetch as NonNullable<Configuration['fetch']>,
  });
  options.extend?.(provider);
  const answer = provider.callback();
  const respond = (req: IncomingMessage, res: ServerResponse): void => {
    const isInteraction = req.url?.startsWith('/interaction/') ?? false;
    (isInteraction ? interact(provider, subject, req, res) : answer(req, res)).catch(
      (error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      },
    );
  };
  listening.server.on('request', respond);
  return {
    issuer,
    clientId,
    clientSecret,
    audience,
    jwksUri: `${issuer}/jwks`,
    fetch: loopback.fetch,
    answer: respond,
    grants: countGrants(provider),
    async close() {
      await loopback.close();
      await listening.close();
    },
  };
}

async function createConfiguration(options: CertifiedOpOptions): Promise<Configuration> {
  const { accessTokenSeconds = 3600 } = options;
  const adapter = createCertifiedOpStore();
  // Not in `clients`: oidc-provider clones these, into objects of another realm under jest, and does
  // not take their keys for objects then.
  const client = createClient(options);
  await adapter('Client').upsert(clientId, client);
  for (const [id, change] of Object.entries(options.clients ?? {})) {
    await adapter('Client').upsert(id, { ...client, client_id: id, ...change });
  }
  return {
    adapter,
    jwks: { keys: await Promise.all((options.algorithms ?? ['ES256']).map(createKey)) },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    responseTypes: ['code', 'code id_token', 'code token', 'code id_token token'],
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    claims: { profile: ['name'], email: ['email'] },
    // As the hosted OPs do; by Core 5.4 these claims would be the userinfo endpoint's.
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: 'Ada Marwick', email: 'ada@shop.example' }),
    }),
    loadExistingGrant: grantEverything,
    interactions: {
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
      policy: createPolicy(),
    },
    // Whether or not offline_access was asked for: oidc-provider would want a consent for it.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 86_400,
    },
    clientBasedCORS: () => false,
    ...options.configuration,
    features: createFeatures(options),
  };
}

/** Without the rule that a "native" client's user is asked every time: ours is a server. */
function createPolicy(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.remove('native_client_prompt');
  return policy;
}

function createFeatures({
  accessTokenSeconds: accessTokenTTL = 3600,
  backchannelLogoutUri,
  features,
}: CertifiedOpOptions): NonNullable<Configuration['features']> {
  return {
    ...features,
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: backchannelLogoutUri !== undefined },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = confirmedAtOnce(form);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = '<!doctype html><title>Signed out</title>';
      },
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'orders:read',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL,
        jwt: { sign: { alg: 'ES256' } },
      }),
      // Named once, at the authorization endpoint; code exchange and refresh mean the same.
      useGrantedResource: () => true,
    },
  };
}

function createClient(options: CertifiedOpOptions): ClientMetadata & AdapterPayload {
  const isSecure = options.redirectUris.every((uri) => uri.startsWith('https:'));
  return {
    client_id: clientId,
    client_secret: clientSecret,
    // To a "web" client, plain http on loopback is refused with the hybrid response types.
    application_type: isSecure ? 'web' : 'native',
    response_types: ['code', 'code id_token', 'code token', 'code id_token token'],
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
    redirect_uris: [...options.redirectUris],
    post_logout_redirect_uris: [...options.postLogoutRedirectUris],
    id_token_signed_response_alg: 'ES256',
    ...(options.backchannelLogoutUri === undefined
      ? {}
      : {
          backchannel_logout_uri: options.backchannelLogoutUri,
          backchannel_logout_session_required: true,
        }),
    ...options.client,
  };
}

async function createKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(8).toString('base64url');
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid } as JWK;
}

async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const scope = String(params?.['scope'] ?? 'openid');
  grant.addOIDCScope(scope);
  grant.addOIDCClaims([...ctx.oidc.requestParamClaims]);
  for (const resource of [params?.['resource'] ?? []].flat()) {
    grant.addResourceScope(String(resource), `${scope} orders:read`);
  }
  await grant.save();
  return grant;
}

/** The step at which an OP shows a sign-in page; this one knows the answer. */
async function interact(
  provider: Provider,
  accountId: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(req, res);
  const answer =
    params['login_hint'] === 'cancel'
      ? { error: 'access_denied', error_description: 'the visitor canceled' }
      : { login: { accountId }, consent: {} };
  await provider.interactionFinished(req, res, answer);
}

/** The page that asks "sign out?", with the answer yes. */
export function confirmedAtOnce(form: string): string {
  const answered = form
    .replace(' id="op.logoutForm"', '')
    .replace('</form>', '<input type="hidden" name="logout" value="yes"/></form>');
  return `<!doctype html><title>Signing out</title><body onload="document.forms[0].submit()">${answered}`;
}

function countGrants(provider: Provider): CertifiedOp['grants'] {
  const grants = { authorization_code: 0, refresh_token: 0, refused: 0 };
  provider.on('grant.success', (ctx) => {
    const type = ctx.oidc.params?.['grant_type'];
    if (type === 'authorization_code' || type === 'refresh_token') grants[type] += 1;
  });
  provider.on('grant.error', () => {
    grants.refused += 1;
  });
  return grants;
}
