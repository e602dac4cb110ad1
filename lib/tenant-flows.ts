import { isDeepStrictEqual } from 'node:util';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { BoundedMap } from './bounded-map.ts';
import { AuthenticationError, OptionsError } from './errors.ts';
import type { AnswerOptions } from './http/error-answer.ts';
import { checkGuard } from './http/guard.ts';
import type { GuardHandler } from './http/guard-handler.ts';
import { loginReader } from './http/login.ts';
import type { OidcContext } from './http/oidc-context.ts';
import type { OptionalAuthOptions } from './http/optional-auth.ts';
import { type ProxyOptions, prepareProxy } from './http/proxy/proxy.ts';
import type { RequireAuthOptions } from './http/require-auth.ts';
import { comparable } from './http/router.ts';
import type { HybridFlowStrategy } from './http/strategy.ts';
import { createFindFlow, tenantHandler, unknownTenant } from './http/tenant-requests.ts';
import { type HybridFlow, type SharedParts, tenantFlow } from './hybrid-flow.ts';
import {
  checkTenantIssuer,
  type ResolvedTenants,
  readTenant,
  resolveTenants,
  type TenantClient,
  type TenantFlowsOptions,
} from './options/resolve-tenants.ts';
import { tenantDigest } from './options/tenant-secrets.ts';
import {
  defaultOptions,
  type HybridFlowOptions,
  type LoginOptions,
  type Verify,
} from './options.ts';
import { inProcessLock } from './tokens/lock.ts';
import { createTenantSessions } from './tokens/tenant-sessions.ts';
import { createOpenedRecords } from './tokens/token-store.ts';

/** One client for each tenant: the parts an application mounts, which serve whose request it is. */
export interface TenantFlows<Claims = unknown> {
  /** As of {@link HybridFlow}. A request that is no tenant's goes on to what is mounted after it. */
  router(): RequestHandler;
  /** As of {@link HybridFlow}; without a tenant a 404, as for the guards. */
  login(options?: LoginOptions | ((req: Request) => LoginOptions | undefined)): RequestHandler;
  requireAuth(options?: RequireAuthOptions<Claims>): GuardHandler<OidcContext<Claims>>;
  /** As of {@link HybridFlow}, by connections that all tenants share. */
  proxy(options: ProxyOptions<Claims>): RequestHandler;
  /** As of {@link HybridFlow}; lets requests through that are no tenant's. */
  optionalAuth(options?: OptionalAuthOptions): GuardHandler<OidcContext<Claims> | undefined>;
  /** As of {@link HybridFlow}. */
  contextOf(req: Request): OidcContext<Claims>;
  errorHandler(): ErrorRequestHandler;
  strategy(verify: Verify<Claims>): HybridFlowStrategy;
  /**
   * The flow of a request's tenant; `undefined` where it has none.
   *
   * @throws {@link TenantError} when `resolveClient` fails
   */
  flowOf(req: Request): Promise<HybridFlow<Claims> | undefined>;
  /**
   * The flow of a tenant, for what no request asks for: `endSessions()`, `jwks()`, `ready()`.
   *
   * @throws {@link OptionsError} when an option of the tenant is wrong
   */
  flowFor(client: TenantClient): HybridFlow<Claims>;
}

interface CachedFlow {
  readonly client: TenantClient;
  readonly flow: HybridFlow;
  readonly options: HybridFlowOptions;
}

/**
 * OpenID Connect login for applications with tenants: the OP and the client are chosen for each request.
 *
 * `Claims` as of {@link hybridFlow}.
 *
 * @throws {@link OptionsError} when an option is wrong, missing or unknown
 */
export function tenantFlows<Claims = unknown>(
  options: TenantFlowsOptions<Claims>,
): TenantFlows<Claims> {
  return flowsOf(resolveTenants(options as TenantFlowsOptions)) as TenantFlows<Claims>;
}

function flowsOf(tenants: ResolvedTenants): TenantFlows {
  const flowFor = createFlowCache(tenants);
  const findFlow = createFindFlow({
    resolve: tenants.resolveClient,
    flowFor,
    resolveSeconds: tenants.resolveSeconds,
  });
  const { onError, loginPath } = tenants;
  const answer: AnswerOptions = { onError, loginPath, baseUrl: '', basePath: '' };

  const refusing = (handlerOf: (flow: HybridFlow) => RequestHandler): RequestHandler =>
    tenantHandler(findFlow, onceFor(handlerOf), 'refuse', answer);

  return {
    router() {
      const route = tenantHandler(
        findFlow,
        onceFor((flow) => flow.router()),
        'next',
        answer,
      );
      return function hybridTenantRouter(req, res, next) {
        // No tenant is looked for where no route is.
        if (tenants.paths.has(comparable(req.path))) void route(req, res, next);
        else next();
      };
    },

    login(login) {
      loginReader(login);
      return refusing((flow) => flow.login(login));
    },

    requireAuth(guard = {}) {
      checkGuard(guard);
      return refusing((flow) => flow.requireAuth(guard) as RequestHandler) as GuardHandler;
    },

    proxy(options) {
      checkGuard(options as ProxyOptions);
      prepareProxy(options as ProxyOptions);
      return refusing((flow) => flow.proxy(options));
    },

    optionalAuth: (wishes) =>
      tenantHandler(
        findFlow,
        onceFor((flow) => flow.optionalAuth(wishes) as RequestHandler),
        'next',
        answer,
      ) as GuardHandler<OidcContext | undefined>,

    contextOf(req) {
      if (req.oidc !== undefined) return req.oidc;
      throw new AuthenticationError('ERR_OIDC_LOGIN_REQUIRED', 'this request has no login');
    },

    errorHandler() {
      const handlerOf = onceFor((flow) => flow.errorHandler());
      return function hybridTenantErrorHandler(error, req, res, next) {
        findFlow(req).then(
          (flow) => {
            if (flow === undefined) next(error);
            else void handlerOf(flow)(error, req, res, next);
          },
          // What was wrong first is what is told.
          () => next(error),
        );
      };
    },

    strategy(verify) {
      const strategyOf = onceFor((flow) => flow.strategy(verify));
      return {
        name: tenants.sessionKey,
        authenticate(req, authenticateOptions) {
          findFlow(req)
            .then((flow) => {
              if (flow === undefined) throw unknownTenant();
              strategyOf(flow).authenticate.call(this, req, authenticateOptions);
            })
            .catch((error: unknown) => this.error(error));
        },
      };
    },

    flowOf: findFlow,
    flowFor,
  };
}

/** Makes a thing once for each flow, as long as there is that flow. */
function onceFor<Thing>(make: (flow: HybridFlow) => Thing): (flow: HybridFlow) => Thing {
  const made = new WeakMap<HybridFlow, { readonly thing: Thing }>();
  return (flow) => {
    const before = made.get(flow) ?? { thing: make(flow) };
    made.set(flow, before);
    return before.thing;
  };
}

/**
 * Flows of the tenants that came last. Whose flow gives way, or whose options have changed, gets a new
 * one; what the old one was doing it finishes, and logins under way go on in the new one, as it has the
 * same keys.
 */
function createFlowCache(tenants: ResolvedTenants): (client: unknown) => HybridFlow {
  const { common, maxTenants } = tenants;
  const flows = new BoundedMap<string, CachedFlow>(maxTenants);
  const shared: SharedParts = {
    lock: tenants.lock ?? inProcessLock(),
    openedRecords: createOpenedRecords(),
    sessions: createTenantSessions(tenants, maxTenants),
  };
  return (given) => {
    const client = readTenant(given);
    checkTenantIssuer(client, common);
    const { id, ...own } = client;
    const before = flows.get(id);
    const isSame = before !== undefined && isDeepStrictEqual(before.client, client);
    const options = { ...common, ...own } as HybridFlowOptions;
    const flow = isSame ? before.flow : tenantFlow(options, id, shared);
    if (!isSame) {
      for (const [other, cached] of flows) {
        if (other !== id) refuseMixUp(options, cached.options);
      }
    }
    // Also where it is the same: who came last is the last to give way.
    flows.set(id, { client, flow, options });
    shared.sessions.keep(tenantDigest(id));
    return flow;
  };
}

/**
 * Two OPs at one redirect URI: one of them can send the browser on to the other, and gets the code that comes
 * back. An ID Token beside the code tells who has answered, and so does an answer that is a JWT.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.4 RFC 9700 section 4.4}
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID`
 */
function refuseMixUp(own: HybridFlowOptions, other: HybridFlowOptions): void {
  const isShared = new URL(own.baseUrl).href === new URL(other.baseUrl).href;
  if (!isShared || own.issuer === other.issuer || (isNamed(own) && isNamed(other))) return;
  throw new OptionsError(
    'ERR_OIDC_OPTION_INVALID',
    'baseUrl',
    'two tenants with different issuers share a redirect URI, and without an ID Token beside the code nobody can tell whose answer it is: give each a "baseUrl" of its own (the "profile" "fapi1-advanced" demands that), or all the "responseType" "code id_token"',
  );
}

/** Whether each answer says which OP it is of: by a signature, or by the parameter `iss`, without which it is refused. */
function isNamed({
  profile,
  responseType = defaultOptions.responseType,
  responseMode,
}: HybridFlowOptions): boolean {
  // FAPI 1.0 Baseline 5.2.3: a redirect URI for each OP, whatever its answers say.
  if (profile === 'fapi1-advanced') return false;
  // FAPI 2.0 5.3.3.2: `iss` is checked, and never left out.
  if (profile === 'fapi2') return true;
  return responseType.includes('id_token') || responseMode?.includes('jwt') === true;
}
