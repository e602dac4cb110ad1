import { metrics } from '@opentelemetry/api';
import { type HybridFlowError, subscribe } from 'passport-oidc-hybrid';

/** Measures logins, refreshes and failures; returns a function that ends it. */
export function startTelemetry(): () => void {
  const meter = metrics.getMeter('passport-oidc-hybrid');
  const logins = meter.createCounter('oidc.logins');
  const refusals = meter.createCounter('oidc.refusals');
  const logouts = meter.createCounter('oidc.logouts');
  const reuses = meter.createCounter('oidc.reuses');
  const errors = meter.createCounter('oidc.errors');
  const refreshes = meter.createHistogram('oidc.refresh.duration', { unit: 's' });
  const codeOf = (error: unknown): string => String((error as HybridFlowError | undefined)?.code);

  const subscriptions = [
    subscribe('login', ({ login }) => logins.add(1, { flow: login.flow })),
    subscribe('refusal', ({ error }) => refusals.add(1, { code: codeOf(error) })),
    subscribe('logout', ({ login, by }) => logouts.add(1, { flow: login.flow, by })),
    subscribe('reuse', ({ login }) => reuses.add(1, { flow: login.flow })),
    subscribe('error', ({ error }) => errors.add(1, { code: codeOf(error) })),
    subscribe('refresh', ({ login, outcome, durationSeconds }) => {
      refreshes.record(durationSeconds, { flow: login.flow, outcome });
    }),
  ];
  return () => {
    for (const end of subscriptions) end();
  };
}
