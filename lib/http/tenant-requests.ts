import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { HybridFlowError, TenantError } from '../errors.ts';
import { settlesWithin } from '../tokens/deadline.ts';
import { type AnswerOptions, answerError } from './error-answer.ts';

/** The application's `resolveClient`, and what it gives made into a flow. */
export interface TenantResolver<Flow> {
  readonly resolve: (req: Request) => unknown;
  /** @throws {@link OptionsError} when the tenant's options are wrong */
  readonly flowFor: (client: unknown) => Flow;
  readonly resolveSeconds: number;
}

/** Finds the flow of a request's tenant; it stays the same for the whole request. */
export type FindFlow<Flow> = (req: Request) => Promise<Flow | undefined>;

/**
 * Nothing that comes in by a request, and no failure of a tenant's data, is an error of the whole
 * application: it is this tenant that is not there, or not at the moment.
 */
export function createFindFlow<Flow>(resolver: TenantResolver<Flow>): FindFlow<Flow> {
  const found = new WeakMap<Request, Flow>();
  return async (req) => {
    const before = found.get(req);
    if (before !== undefined) return before;
    const client = await askApplication(resolver, req);
    // Not remembered: a handler further on may know more, as a router with a parameter in its path does.
    if (client === undefined || client === null) return undefined;
    const flow = makeFlow(resolver, client);
    found.set(req, flow);
    return flow;
  };
}

async function askApplication<Flow>(
  { resolve, resolveSeconds }: TenantResolver<Flow>,
  req: Request,
): Promise<unknown> {
  const pending = (async () => resolve(req))();
  if (!(await settlesWithin(pending, resolveSeconds))) {
    throw unavailable(new Error('it has not answered within httpTimeoutSeconds'));
  }
  return pending.catch((error: unknown) => {
    throw unavailable(error);
  });
}

function unavailable(cause: unknown): TenantError {
  const message = 'the function "resolveClient" failed; see "cause"';
  return new TenantError('ERR_OIDC_TENANT_UNAVAILABLE', message, cause);
}

function makeFlow<Flow>({ flowFor }: TenantResolver<Flow>, client: unknown): Flow {
  try {
    return flowFor(client);
  } catch (error) {
    if (!(error instanceof HybridFlowError)) throw error;
    const message = 'the options of this tenant are wrong; see "cause"';
    throw new TenantError('ERR_OIDC_TENANT_OPTIONS', message, error);
  }
}

/** What a handler does with a request that is no tenant's. */
export type WithoutTenant = 'next' | 'refuse';

/** A handler that hands each request to the handler of its tenant. */
export function tenantHandler<Flow>(
  findFlow: FindFlow<Flow>,
  handlerOf: (flow: Flow) => RequestHandler,
  withoutTenant: WithoutTenant,
  options: AnswerOptions,
): RequestHandler {
  const answer = async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    let flow: Flow | undefined;
    try {
      flow = await findFlow(req);
      if (flow === undefined && withoutTenant === 'refuse') throw unknownTenant();
    } catch (error) {
      answerError(error, req, res, next, options);
      return;
    }
    if (flow === undefined) next();
    else await handlerOf(flow)(req, res, next);
  };
  return function hybridTenant(req, res, next) {
    answer(req, res, next).catch(next);
  };
}

/** A request whose tenant is needed, and is not there. */
export function unknownTenant(): TenantError {
  return new TenantError('ERR_OIDC_TENANT_UNKNOWN', "this request is no known tenant's");
}
