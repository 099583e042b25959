/**
 * Every instrument of the event path, under one name each. docs/metrics.md is the page for their readers.
 */
import type { Attributes, Meter } from '@opentelemetry/api';
import type { CacheSize } from '../cache/embedding-cache.ts';
import type { SourceStatus } from '../consumers/event-source.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { AppError, DISPOSITIONS, type ErrorCode } from '../errors.ts';
import type {
  BundleIdentity,
  ModelIdentity,
  Outcome,
  PolicyResult,
  Verdict,
} from '../events/types.generated.ts';
import { observeSource } from './source-metrics.ts';
import { createTally } from './tally.ts';
import type { Stage, Telemetry } from './telemetry.ts';
import { observeTrouble, type Trouble } from './trouble-metrics.ts';

/** 1 ms to 10 s: a stage takes milliseconds, a queue under load seconds. */
const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** 5 ms to 60 s: everything between being taken and being acknowledged, retries included. */
const EVENT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** 50 ms to an hour: the time in the topic counts too. */
const DELAY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];
const RATIOS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

export interface Metrics {
  finished(verdict: Verdict, record: KafkaRecord): void;
  abandoned(error: unknown): void;
  stage(stage: Stage, ms: number): void;
  retried(stage: Stage, error: unknown): void;
  inFlight(count: number): void;
  batchInferred(size: number, maxSize: number, ms: number): void;
  cacheAnswered: Telemetry['cacheAnswered'];
  cacheFailed: Telemetry['cacheFailed'];
  listLoaded: Telemetry['listLoaded'];
  listFailed: Telemetry['listFailed'];
  observeSource(status: () => SourceStatus): void;
  observeTrouble(trouble: Trouble): void;
  observeDecoders(restarts: () => Readonly<Record<string, number>>): void;
  observeCache(size: () => CacheSize): void;
  observeStages(counts: () => ReadonlyMap<Stage, number>): void;
  describeModel(identity: { model: ModelIdentity; bundle: BundleIdentity }): void;
}

export function createMetrics(meter: Meter): Metrics {
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(name, { unit, description });
  const histogram = (name: string, unit: string, buckets: number[], description: string) =>
    meter.createHistogram(name, {
      unit,
      description,
      advice: { explicitBucketBoundaries: buckets },
    });
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });

  const events = createTally<{ outcome: Outcome; topic: string }>(
    meter,
    'moderato.events',
    { unit: '{event}', description: 'Verdicts acknowledged, by outcome and input topic.' },
    {
      keyOf: ({ outcome, topic }) => `${outcome} ${topic}`,
      attributesOf: ({ outcome, topic }) => ({ outcome, topic }),
    },
  );
  const notInspected = counter(
    'moderato.not_inspected',
    '{event}',
    'Events whose image was not inspected, by reason code, stage and input topic.',
  );
  const policyResults = createTally<PolicyResult>(
    meter,
    'moderato.policy.results',
    { unit: '{result}', description: 'Results of each policy by band and mode.' },
    {
      keyOf: ({ id, mode, band }) => `${mode} ${band} ${id}`,
      attributesOf: ({ id, mode, band }) => ({ policy: id, mode, band }),
    },
  );
  const abandoned = counter(
    'moderato.events.abandoned',
    '{event}',
    'Events given back unacknowledged, to be read again, by error code.',
  );
  const retries = counter('moderato.retries', '{retry}', 'Attempts that failed and are repeated.');
  const stageDuration = histogram(
    'moderato.stage.duration',
    's',
    STAGE_SECONDS,
    'Time one event spent in a stage.',
  );
  const eventDuration = histogram(
    'moderato.event.duration',
    's',
    EVENT_SECONDS,
    'From taking a record to its verdict.',
  );
  const verdictDelay = histogram(
    'moderato.verdict.delay',
    's',
    DELAY_SECONDS,
    "From the record's timestamp to its verdict, the wait in the topic included.",
  );
  const batchSize = histogram('moderato.batch.size', '{image}', BATCH_SIZES, 'Images in a batch.');
  const batchFill = histogram(
    'moderato.batch.fill_ratio',
    '1',
    RATIOS,
    'Images in a batch against the largest batch allowed.',
  );
  const batchDuration = histogram(
    'moderato.batch.duration',
    's',
    STAGE_SECONDS,
    'Time one inference took.',
  );

  const cacheHits = counter(
    'moderato.cache.hits',
    '{image}',
    'Images found among those inspected before, by store and by what they were told.',
  );
  const cacheMisses = counter(
    'moderato.cache.misses',
    '{image}',
    'Images looked for among those inspected before and not found.',
  );
  const cacheFaults = counter(
    'moderato.cache.faults',
    '{fault}',
    'What the shared store did not do, by kind.',
  );

  const listFailures = counter(
    'moderato.list.failures',
    '{failure}',
    'Lists of known images that could not be read again, by list.',
  );
  const listEntries = new Map<string, number>();
  gauge('moderato.list.entries', '{entry}', 'Entries of each list in force.').addCallback(
    (result) => {
      for (const [list, entries] of listEntries) result.observe(entries, { list });
    },
  );

  let inFlight = 0;
  gauge('moderato.in_flight', '{event}', 'Events taken and not yet acknowledged.').addCallback(
    (result) => result.observe(inFlight),
  );

  return {
    finished: (verdict, record) => {
      const { outcome, reason } = verdict;
      const { topic } = record;
      events.add({ outcome, topic });
      if (reason) {
        notInspected.add(1, { code: known(reason.code), stage: reason.stage, topic });
      }
      for (const result of verdict.policies) policyResults.add(result);
      eventDuration.record(verdict.timings.totalMs / 1000, { outcome, topic });
      const delayMs = Math.max(0, verdict.decidedAt - record.timestamp);
      verdictDelay.record(delayMs / 1000, { topic });
    },
    abandoned: (error) => abandoned.add(1, { code: codeOf(error) }),
    stage: (stage, ms) => stageDuration.record(ms / 1000, { stage }),
    retried: (stage, error) => retries.add(1, { stage, code: codeOf(error) }),
    inFlight: (count) => {
      inFlight = count;
    },
    batchInferred: (size, maxSize, ms) => {
      batchSize.record(size);
      batchFill.record(size / maxSize);
      batchDuration.record(ms / 1000);
    },
    cacheAnswered: (hit) => {
      if (hit) cacheHits.add(1, { store: hit.store, by: hit.by });
      else cacheMisses.add(1);
    },
    cacheFailed: (fault) => cacheFaults.add(1, { kind: fault }),
    listLoaded: (list, entries) => void listEntries.set(list, entries),
    listFailed: (list) => listFailures.add(1, { list }),
    observeSource: (status) => observeSource(meter, status),
    observeTrouble: (trouble) => observeTrouble(meter, trouble),
    observeDecoders: (restarts) => {
      meter
        .createObservableCounter('moderato.decoder.restarts', {
          unit: '{restart}',
          description: 'Decoder processes that were replaced, by cause.',
        })
        .addCallback((result) => {
          for (const [cause, count] of Object.entries(restarts())) result.observe(count, { cause });
        });
    },
    observeStages: (counts) => {
      gauge(
        'moderato.stage.in_flight',
        '{event}',
        'Events in each stage; the stage in which most of them are is the bottleneck.',
      ).addCallback((result) => {
        for (const [stage, count] of counts()) result.observe(count, { stage });
      });
    },
    observeCache: (size) => {
      gauge('moderato.cache.entries', '{image}', 'Inspected images in memory.').addCallback(
        (result) => result.observe(size().entries),
      );
      gauge('moderato.cache.size', 'By', 'What they occupy.').addCallback((result) =>
        result.observe(size().bytes),
      );
    },
    describeModel: ({ model, bundle }) => {
      const identity: Attributes = {
        model: model.id,
        model_hash: model.hash,
        preprocessing: model.preprocessing,
        execution_provider: model.executionProvider,
        bundle_hash: bundle.hash,
      };
      gauge(
        'moderato.model.info',
        '',
        'Always 1; the labels say which model and bundle judge.',
      ).addCallback((result) => result.observe(1, identity));
    },
  };
}

/** The code of an error, or `unknown`: never its message, which would make labels without end. */
export function codeOf(error: unknown): ErrorCode | 'unknown' {
  return error instanceof AppError ? error.code : 'unknown';
}

function known(code: string): string {
  return Object.hasOwn(DISPOSITIONS, code) ? code : 'unknown';
}
