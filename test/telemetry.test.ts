import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { type Flow, startFlow } from './support/flow.ts';
import { startTelemetry } from './support/telemetry.ts';

const read = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

let flow: Flow;
let provider: MeterProvider;
let exporter: InMemoryMetricExporter;
let stop: () => void;

beforeEach(async () => {
  flow = await startFlow();
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  metrics.setGlobalMeterProvider(provider);
  stop = startTelemetry();
});
afterEach(async () => {
  stop();
  metrics.disable();
  await provider.shutdown();
  await flow.close();
});

/** Attributes and value of each point of a metric; of a histogram the number of values. */
async function points(name: string): Promise<unknown[]> {
  await provider.forceFlush();
  const metric = exporter
    .getMetrics()
    .at(-1)
    ?.scopeMetrics.flatMap((scope) => scope.metrics)
    .find(({ descriptor }) => descriptor.name === name);
  return (metric?.dataPoints ?? []).map(({ attributes, value }) => [
    attributes,
    typeof value === 'number' ? value : value.count,
  ]);
}

describe('the recipe for OpenTelemetry', () => {
  it('stands in the documentation as it is run here', async () => {
    const [, shown] = /<!-- recipe[^>]*-->\n```ts\n(.*?)```/s.exec(
      await read('../docs/events.md'),
    ) as unknown as string[];
    expect(shown).toBe(await read('support/telemetry.ts'));
  });

  it('measures logins, refreshes, refusals and logouts', async () => {
    await flow.signIn();
    for (let round = 0; round < 2; round += 1) {
      flow.clock.advance(4000);
      await flow.browser.fetch(`${flow.baseUrl}/api/x`);
    }
    await flow.browser.navigate({
      method: 'GET',
      url: `${flow.baseUrl}/logout`,
      from: flow.baseUrl,
    });
    flow.op.lie({ backIdToken: { claims: { nonce: 'other' } } });
    await flow.signIn();
    expect(await points('oidc.logins')).toEqual([[{ flow: 'oidc' }, 1]]);
    expect(await points('oidc.refresh.duration')).toEqual([
      [{ flow: 'oidc', outcome: 'renewed' }, 2],
    ]);
    expect(await points('oidc.logouts')).toEqual([[{ flow: 'oidc', by: 'user' }, 1]]);
    const code = 'ERR_OIDC_ID_TOKEN_NONCE';
    expect(await points('oidc.refusals')).toEqual([[{ code }, 1]]);
    expect(await points('oidc.errors')).toEqual([[{ code }, 1]]);
    expect(await points('oidc.reuses')).toEqual([]);
  });
});
