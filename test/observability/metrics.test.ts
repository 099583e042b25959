import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SourceStatus } from '../../src/consumers/event-source.ts';
import { AppError } from '../../src/errors.ts';
import type { Stall } from '../../src/observability/stalls.ts';
import { startTelemetry, type RunningTelemetry } from '../../src/observability/otel-telemetry.ts';
import { aNotInspectedVerdict, aPolicyResult, aRecord, aVerdict } from '../support/builders.ts';
import { scrape } from './scrape.ts';

let running: RunningTelemetry;

beforeEach(async () => {
  running = await startTelemetry({
    serviceName: 'moderato-test',
    serviceVersion: '1.2.3',
    registerPrometheus: true,
  });
});
afterEach(() => running.shutdown());

const aStatus = (overrides: Partial<SourceStatus> = {}): SourceStatus => ({
  alive: true,
  assigned: true,
  paused: false,
  partitions: [],
  ...overrides,
});

describe('a scrape', () => {
  it('counts verdicts by outcome and policies by band and mode', async () => {
    const verdict = aVerdict({
      policies: [
        aPolicyResult({ id: 'firearms', band: 'block', mode: 'enforce' }),
        aPolicyResult({ id: 'alcohol', band: 'review', mode: 'shadow' }),
      ],
    });
    for (const offset of [0, 1])
      running.telemetry.eventStarted(aRecord({ offset })).finished(verdict);
    running.telemetry
      .eventStarted(aRecord())
      .finished(aVerdict({ outcome: 'allow', policies: [] }));

    const metrics = await scrape(running);
    expect(metrics.types.get('moderato_events_total')).toBe('counter');
    expect(metrics.value('moderato_events_total', { outcome: 'block' })).toBe(2);
    expect(metrics.value('moderato_events_total', { outcome: 'allow' })).toBe(1);
    expect(
      metrics.value('moderato_policy_results_total', {
        policy: 'alcohol',
        band: 'review',
        mode: 'shadow',
      }),
    ).toBe(2);
  });

  it('counts images not inspected by code, and never by a code nobody knows', async () => {
    const strange = aNotInspectedVerdict();
    strange.reason = { code: 'made up', message: '', stage: 'fetch', requested: 'review' };
    running.telemetry.eventStarted(aRecord()).finished(aNotInspectedVerdict());
    running.telemetry.eventStarted(aRecord()).finished(strange);

    const metrics = await scrape(running);
    expect(
      metrics.value('moderato_not_inspected_total', { code: 'event_undecodable', stage: 'decode' }),
    ).toBe(1);
    expect(metrics.value('moderato_not_inspected_total', { code: 'unknown' })).toBe(1);
  });

  it('measures stages in seconds', async () => {
    const event = running.telemetry.eventStarted(aRecord());
    event.stage('infer', 1000, 1030);
    event.finished(aVerdict());

    const metrics = await scrape(running);
    const infer = { stage: 'infer' };
    expect(metrics.types.get('moderato_stage_duration_seconds')).toBe('histogram');
    expect(metrics.value('moderato_stage_duration_seconds_sum', infer)).toBeCloseTo(0.03);
    expect(metrics.value('moderato_stage_duration_seconds_bucket', { ...infer, le: '0.025' })).toBe(
      0,
    );
    expect(metrics.value('moderato_stage_duration_seconds_bucket', { ...infer, le: '0.05' })).toBe(
      1,
    );
    expect(metrics.value('moderato_event_duration_seconds_count', { outcome: 'block' })).toBe(1);
    expect(metrics.value('moderato_verdict_delay_seconds_sum')).toBeCloseTo(0.25);
  });

  it('shows batches by size and by fill, what is in flight, retries and abandoned events', async () => {
    running.telemetry.batchInferred(12, 16, 80);
    running.telemetry.inFlight(5);
    running.telemetry.inFlight(7);
    running.telemetry.retried('fetch', new AppError('image_store_unavailable', 'down'), 1);
    running.telemetry.eventStarted(aRecord()).abandoned(new TypeError('unforeseen'));

    const metrics = await scrape(running);
    expect(metrics.value('moderato_batch_size_sum')).toBe(12);
    expect(metrics.value('moderato_batch_fill_ratio_sum')).toBe(0.75);
    expect(metrics.value('moderato_batch_duration_seconds_sum')).toBeCloseTo(0.08);
    expect(metrics.value('moderato_in_flight')).toBe(7);
    expect(
      metrics.value('moderato_retries_total', { stage: 'fetch', code: 'image_store_unavailable' }),
    ).toBe(1);
    expect(metrics.value('moderato_events_abandoned_total', { code: 'unknown' })).toBe(1);
  });

  it('asks the source for lag when it is scraped, per partition and in total', async () => {
    let status = aStatus({
      partitions: [
        { topic: 'images', partition: 0, committed: 10, lag: 4 },
        { topic: 'images', partition: 1, committed: 20, lag: 38 },
      ],
    });
    running.observeSource(() => status);
    let metrics = await scrape(running);
    expect(
      metrics.value('moderato_consumer_partition_lag', { topic: 'images', partition: '1' }),
    ).toBe(38);
    expect(metrics.value('moderato_consumer_lag')).toBe(42);
    expect(metrics.value('moderato_consumer_partitions')).toBe(2);
    expect(metrics.value('moderato_consumer_alive')).toBe(1);

    status = aStatus({ alive: false, paused: true });
    metrics = await scrape(running);
    expect(metrics.value('moderato_consumer_alive')).toBe(0);
    expect(metrics.value('moderato_consumer_paused')).toBe(1);
  });

  it('tells lanes apart: lag, verdicts, latency and delay by input topic', async () => {
    const place = { partition: 0, committed: 0 };
    let partitions = [
      { ...place, topic: 'uploads', lag: 4 },
      { ...place, topic: 'rescan', lag: 900 },
      { ...place, topic: 'rescan', partition: 1, lag: 100 },
    ];
    running.observeSource(() => aStatus({ partitions }));
    for (const topic of ['uploads', 'rescan', 'rescan']) {
      running.telemetry.eventStarted(aRecord({ topic })).finished(aNotInspectedVerdict());
    }
    const metrics = await scrape(running);
    const rescan = { topic: 'rescan' };
    expect(metrics.value('moderato_consumer_lag', { topic: 'uploads' })).toBe(4);
    expect(metrics.value('moderato_consumer_lag', rescan)).toBe(1_000);
    for (const name of [
      'moderato_events_total',
      'moderato_not_inspected_total',
      'moderato_event_duration_seconds_count',
      'moderato_verdict_delay_seconds_count',
    ]) {
      expect([name, metrics.value(name, rescan)]).toEqual([name, 2]);
      expect([name, metrics.value(name, { topic: 'uploads' })]).toEqual([name, 1]);
    }
    partitions = partitions.slice(0, 1); // the others went to another instance
    expect((await scrape(running)).value('moderato_consumer_lag', rescan)).toBe(0);
  });

  it('counts no lag of a partition that another instance owns now', async () => {
    let status = aStatus({
      partitions: [{ topic: 'images', partition: 1, committed: 20, lag: 38 }],
    });
    running.observeSource(() => status);
    await scrape(running);
    status = aStatus();
    const metrics = await scrape(running);
    expect(metrics.value('moderato_consumer_partition_lag', { partition: '1' })).toBe(0);
    expect(metrics.value('moderato_consumer_lag')).toBe(0);
  });

  it('counts what open transactions hide, and how long brokers have slowed us down', async () => {
    running.observeSource(() =>
      aStatus({
        throttledMs: 2_500,
        partitions: [
          { topic: 'images', partition: 0, committed: 1, lag: 0, end: 9, lastStable: 5 },
          { topic: 'images', partition: 1, committed: 1, lag: 0, end: 9, lastStable: 9 },
          { topic: 'images', partition: 2, committed: 1, lag: null },
        ],
      }),
    );
    const metrics = await scrape(running);
    expect(metrics.value('moderato_consumer_open_transaction_records')).toBe(4);
    expect(metrics.value('moderato_consumer_throttled_seconds_total')).toBe(2.5);
  });

  it('counts what is absent and what waits by kind, never by host, and goes back to 0', async () => {
    let absent = [
      { dependency: 'https://a.example', waiting: 2, ms: 5_000 },
      { dependency: 'https://b.example', waiting: 3, ms: 5_000 },
      { dependency: 'registry_unavailable', waiting: 1, ms: 5_000 },
    ];
    let stalls: Stall[] = [{ kind: 'parked', where: 'images/0', message: 'images/0 waits' }];
    running.observeTrouble({ absent: () => absent, stalls: () => stalls });
    let metrics = await scrape(running);
    expect(metrics.value('moderato_outages', { dependency: 'https' })).toBe(2);
    expect(metrics.value('moderato_parked', { dependency: 'https' })).toBe(5);
    expect(metrics.value('moderato_outages', { dependency: 'other' })).toBe(1);
    expect(metrics.value('moderato_stalls', { kind: 'parked' })).toBe(1);
    expect(metrics.value('moderato_stalls', { kind: 'open-transaction' })).toBe(0);

    absent = [];
    stalls = [];
    metrics = await scrape(running);
    expect(metrics.value('moderato_outages', { dependency: 'https' })).toBe(0);
    expect(metrics.value('moderato_parked', { dependency: 'https' })).toBe(0);
    expect(metrics.value('moderato_stalls', { kind: 'parked' })).toBe(0);
  });

  it('tells no total lag while the lag of a partition is unknown', async () => {
    running.observeSource(() =>
      aStatus({
        partitions: [
          { topic: 'images', partition: 0, committed: 10, lag: 4 },
          { topic: 'images', partition: 1, committed: -1, lag: null },
        ],
      }),
    );
    const metrics = await scrape(running);
    expect(metrics.value('moderato_consumer_lag')).toBeUndefined();
    expect(metrics.value('moderato_consumer_partition_lag')).toBe(4);
  });

  it('names the build, the model and the bundle, and watches the process', async () => {
    const { model, bundle } = aVerdict();
    running.describeModel({ model, bundle });
    running.observeDecoders(() => ({ crash: 3, recycled: 1 }));

    const metrics = await scrape(running);
    expect(metrics.value('moderato_build_info', { version: '1.2.3' })).toBe(1);
    expect(
      metrics.value('moderato_model_info', { model: 'starter', bundle_hash: bundle.hash }),
    ).toBe(1);
    expect(metrics.value('moderato_decoder_restarts_total', { cause: 'crash' })).toBe(3);
    expect(metrics.value('moderato_decoder_restarts_total', { cause: 'recycled' })).toBe(1);
    expect(metrics.value('process_memory_usage_bytes')).toBeGreaterThan(10e6);
    expect(metrics.value('process_cpu_time_seconds_total', { cpu_mode: 'user' })).toBeGreaterThan(
      0,
    );
    expect(metrics.value('nodejs_eventloop_utilization_ratio')).toBeLessThanOrEqual(1);
    expect(metrics.value('target_info', { service_name: 'moderato-test' })).toBe(1);
  });
});
