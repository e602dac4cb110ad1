import type { Express } from 'express';
import {
  type CommonOptions,
  type HybridFlow,
  type HybridFlowOptions,
  hybridFlow,
  inProcessLock,
} from 'passport-oidc-hybrid';
import { Browser } from './browser.ts';
import { buildCertifiedApp } from './certified-flow.ts';
import { type Clock, startClock } from './clock.ts';
import { sealingSecret } from './flow.ts';
import type { HostedOp } from './hosted-op.ts';
import { listen } from './listen.ts';
import { type ResourceServer, startResourceServer } from './resource-server.ts';

/** What a test says of an application at a stand-in. */
export interface ProviderFlowSetup<Op extends HostedOp> {
  startOp: (addresses: {
    redirectUris: readonly string[];
    postLogoutRedirectUris: readonly string[];
  }) => Promise<Op>;
  /** Options by a preset. */
  options: (
    op: Op,
    common: Pick<CommonOptions, 'baseUrl' | 'secret' | 'now' | 'lock' | 'issuer'>,
  ) => HybridFlowOptions;
  /** After all others. */
  routes?: (app: Express, oidc: HybridFlow) => void;
}

/** An application with a proxied API, at a stand-in. */
export interface ProviderFlow<Op extends HostedOp> {
  readonly baseUrl: string;
  readonly op: Op;
  readonly api: ResourceServer;
  readonly oidc: HybridFlow;
  readonly clock: Clock;
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function startProviderFlow<Op extends HostedOp>(
  setup: ProviderFlowSetup<Op>,
): Promise<ProviderFlow<Op>> {
  const listening = await listen();
  const baseUrl = `http://localhost:${listening.port}`;
  const op = await setup.startOp({
    redirectUris: [`${baseUrl}/callback`],
    postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
  });
  const api = await startResourceServer({ op });
  const clock = startClock();
  const common = { baseUrl, secret: sealingSecret, now: clock.now, lock: inProcessLock() };
  const oidc = hybridFlow(setup.options(op, { ...common, issuer: op.issuer }));
  const { routes } = setup;
  listening.server.on('request', buildCertifiedApp(routes ? { routes } : {}, oidc, api));
  return {
    baseUrl,
    op,
    api,
    oidc,
    clock,
    browser: new Browser(),
    async close() {
      for (const part of [listening, op, api]) await part.close();
    },
  };
}
