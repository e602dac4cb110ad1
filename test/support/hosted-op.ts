import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import {
  type Adapter,
  type Configuration,
  interactionPolicy,
  type JWK,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { createCertifiedOpStore } from './certified-op-store.ts';
import { listen } from './listen.ts';

/** A request at the authorization endpoint, as the OP has read it. */
export interface HostedOpRequest {
  readonly method: string;
  /** Those of a request object are over the others. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What makes an OP out of oidc-provider that behaves as a certain service. */
export interface HostedOpSetup {
  /** Path of the issuer: `/` or `/path`. */
  issuerPath: string;
  /** Besides keys, storage and what is the same at all of them. */
  configuration: (issuer: string) => Configuration;
  /** Answers paths that oidc-provider does not have. */
  answer?: (url: URL, req: IncomingMessage, res: ServerResponse) => boolean;
  /** Changes the query of an authorization request that oidc-provider knows by other names. */
  rename?: (query: URLSearchParams) => void;
  /** How the visitor signs in. */
  signIn: (
    parameters: Readonly<Record<string, unknown>>,
  ) => { accountId: string; acr?: string } | { error: string; error_description: string };
  /** Whether the session at the OP will do for the sign-on policies that are asked for. */
  isEnough?: (wanted: readonly string[], acr: string | undefined) => boolean;
  /** Whether a login with this scope gets a refresh token. @default always */
  isOffline?: (scopes: ReadonlySet<string>) => boolean;
  /** Changes an answer of the token endpoint to what the service would say. */
  reword?: (ctx: KoaContextWithOIDC) => void;
  /** What becomes of a refresh token that is looked up. */
  refreshTokens?: (store: Adapter) => Adapter;
}

/** An OP that stands in for a hosted service. */
export interface HostedOp {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly fetch: typeof globalThis.fetch;
  readonly requests: HostedOpRequest[];
  /** The last of {@link requests}. */
  asked(): Readonly<Record<string, string>>;
  /** Grants that the token endpoint gave, by their type, and how often it refused. */
  readonly grants: { authorization_code: number; refresh_token: number; refused: number };
  /** The next refresh is done, and its answer lost on the way. */
  loseRefreshAnswer(): void;
  close(): Promise<void>;
}

/** The API of every stand-in. */
export const hostedApi = 'https://api.example';

/** Short, as the OP's clock is the machine's: a test moves its own clock by half of it. */
const accessTokenSeconds = 60;

const key = createKey();

/** Both services sign ID Tokens by RS256. */
async function createKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomBytes(8).toString('base64url');
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid } as JWK;
}

export async function startHostedOp(setup: HostedOpSetup): Promise<HostedOp> {
  const listening = await listen();
  const origin = `http://127.0.0.1:${listening.port}`;
  const issuer = `${origin}${setup.issuerPath}`;
  const configuration = setup.configuration(issuer);
  const provider = new Provider(issuer, {
    ...configuration,
    ...(await commonConfiguration(setup, configuration)),
  });
  const requests: HostedOpRequest[] = [];
  const lost = { isNext: false };
  observe(provider, setup, requests, lost);
  const answer = provider.callback();
  const path = setup.issuerPath.replace(/\/$/, '');
  listening.server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', origin);
    if (setup.answer?.(url, req, res)) return;
    if (!url.pathname.startsWith(path)) {
      res.writeHead(404).end();
      return;
    }
    if (url.pathname === `${path}/authorize`) setup.rename?.(url.searchParams);
    Object.assign(req, { originalUrl: `${url.pathname}${url.search}` });
    req.url = `${url.pathname.slice(path.length)}${url.search}`;
    const isInteraction = req.url.startsWith('/interaction/');
    (isInteraction ? interact(provider, setup, req, res) : answer(req, res)).catch(
      (error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      },
    );
  });
  return {
    issuer,
    jwksUri: `${origin}${path}${configuration.routes?.jwks}`,
    audience: hostedApi,
    fetch: globalThis.fetch,
    requests,
    asked: () => requests.at(-1)?.parameters ?? {},
    grants: countGrants(provider),
    loseRefreshAnswer: () => {
      lost.isNext = true;
    },
    close: listening.close,
  };
}

async function commonConfiguration(
  { refreshTokens, issuerPath, isEnough = () => true, isOffline = () => true }: HostedOpSetup,
  { features, clients = [], cookies }: Configuration,
): Promise<Configuration> {
  const store = createCertifiedOpStore();
  return {
    adapter: (model) => {
      // Not as `clients`, which it would clone into jest's other realm, and then not take for objects.
      const find = async (id: string) => clients.find(({ client_id }) => client_id === id);
      if (model === 'Client') return { ...store(model), find: find as Adapter['find'] };
      return model === 'RefreshToken' && refreshTokens ? refreshTokens(store(model)) : store(model);
    },
    clients: [],
    jwks: { keys: [await key] },
    cookies: { ...cookies, keys: [randomBytes(32).toString('base64url')] },
    responseTypes: ['code', 'code id_token', 'code token', 'code id_token token'],
    // By Core 5.4 these claims would be the userinfo endpoint's.
    conformIdTokenClaims: false,
    loadExistingGrant: grantEverything,
    interactions: {
      url: (_ctx, { uid }) => `${issuerPath.replace(/\/$/, '')}/interaction/${uid}`,
      policy: createPolicy(isEnough),
    },
    // Not by offline_access, for which oidc-provider would want a consent.
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && isOffline(source.scopes),
    expiresWithSession: async () => false,
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
    features: {
      ...features,
      devInteractions: { enabled: false },
      resourceIndicators: {
        ...features?.resourceIndicators,
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'orders:read orders:write',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: accessTokenSeconds,
          jwt: { sign: { alg: 'RS256' } },
        }),
        useGrantedResource: () => true,
      },
    },
  };
}

/** Nobody is asked for consent; another sign-on policy than that of the session is another login. */
function createPolicy(
  isEnough: NonNullable<HostedOpSetup['isEnough']>,
): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.clear();
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('acr_values', 'another sign-on policy is wanted', (ctx) => {
      const wanted = String(ctx.oidc.params?.['acr_values'] ?? '')
        .split(' ')
        .filter(Boolean);
      return wanted.length > 0 && !isEnough(wanted, ctx.oidc.acr);
    }),
  );
  return policy;
}

async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  // A grant for each login: what is known of a login is kept by its grant.
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const scope = String(params?.['scope'] ?? 'openid');
  grant.addOIDCScope(scope);
  for (const resource of [params?.['resource'] ?? []].flat()) {
    grant.addResourceScope(String(resource), `${scope} orders:read orders:write`);
  }
  await grant.save();
  return grant;
}

/** The step at which a service shows its sign-in page. */
async function interact(
  provider: Provider,
  { signIn }: HostedOpSetup,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { params } = await provider.interactionDetails(req, res);
  const login = signIn(params);
  await provider.interactionFinished(req, res, 'error' in login ? login : { login, consent: {} });
}

function observe(
  provider: Provider,
  { reword }: HostedOpSetup,
  requests: HostedOpRequest[],
  lost: { isNext: boolean },
): void {
  provider.use(async (ctx, next) => {
    await next();
    // As with https: browsers take no SameSite=None without it, and loopback counts as secure.
    const cookies = [ctx.response.get('set-cookie') ?? []].flat().filter(Boolean);
    if (cookies.length > 0)
      ctx.set(
        'set-cookie',
        cookies.map((cookie) => `${cookie}; secure`),
      );
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    if (oidc?.route === 'token') reword?.(ctx as unknown as KoaContextWithOIDC);
    if (oidc?.route === 'authorization') {
      const parameters = Object.entries(oidc.params ?? {}).filter(
        ([, value]) => value !== undefined,
      );
      requests.push({ method: ctx.method, parameters: Object.fromEntries(parameters) as never });
    }
    if (lost.isNext && oidc?.params?.['grant_type'] === 'refresh_token') {
      lost.isNext = false;
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  });
}

function countGrants(provider: Provider): HostedOp['grants'] {
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
