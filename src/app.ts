/**
 * The composition root of the service: puts Kafka, telemetry and probes around what judges images, and owns
 * how it starts and stops.
 */
import { systemClock } from './clock.ts';
import type { Config, Secrets } from './config-schema.ts';
import type { LoadedConfig } from './config.ts';
import type { EventSource, SourceStatus } from './consumers/event-source.ts';
import { createKafkaEnds } from './delivery.ts';
import { AppError, messageOf } from './errors.ts';
import { createEventDecoder } from './events/event-decoder.ts';
import { createSchemaRegistry } from './events/http-schema-registry.ts';
import type { SchemaRegistry } from './events/schema-registry.ts';
import type { FaultPoints } from './fault-points.ts';
import { fetcherOf } from './fetcher.ts';
import { configuredLists } from './hashes/configured-lists.ts';
import { openHashLists } from './hashes/lists.ts';
import { createInspector, type InspectorParts } from './inspector.ts';
import { closeKafka, createKafka } from './kafka/client.ts';
import { missingTopics } from './kafka/topics.ts';
import type { Logger } from './logger.ts';
import type { KafkaRecord } from './kafka/record.ts';
import { logBottlenecks } from './observability/bottleneck-log.ts';
import { Health } from './observability/health.ts';
import { startHttpServer } from './observability/http-server.ts';
import { startTelemetry } from './observability/otel-telemetry.ts';
import { logStalls } from './observability/stall-log.ts';
import { Stalls, type Stall } from './observability/stalls.ts';
import { limitsOf } from './pipeline-limits.ts';
import { Pipeline } from './pipeline.ts';
import type { PolicyBundle } from './policies/bundle.ts';
import type { VerdictSink } from './producers/verdict-sink.ts';
import type { ImageFetcher } from './references/image-fetcher.ts';
import { topicsOf } from './topics.ts';
import { VERSION } from './version.ts';

export interface App {
  /** Where the probes and the metrics are served; null when they are switched off. */
  readonly httpPort: number | null;
  /** Works until stopped; throws the error that ended it otherwise. Everything is released either way. */
  run(): Promise<void>;
  /** Takes no more records, lets what is in flight finish within the deadline, then ends `run`. Idempotent. */
  stop(): Promise<void>;
  /**
   * Remembers, beside the committed offsets, what was in flight when the process dies of an error that nothing
   * explains. Never rejects.
   */
  died(error: unknown): Promise<void>;
}

/** Replaces what `createApp` would make itself. */
export interface Overrides extends Pick<InspectorParts, 'images' | 'encoder'> {
  source?: EventSource;
  sink?: VerdictSink;
  fetcher?: ImageFetcher;
  /** Where tests let it die. */
  faultPoints?: FaultPoints;
}

/**
 * Starts everything but the stream itself. Throws an AppError of the part that cannot start; nothing is then
 * left running.
 */
export async function createApp(
  { config, secrets }: LoadedConfig,
  logger: Logger,
  overrides: Overrides = {},
): Promise<App> {
  await using started = new AsyncDisposableStack();
  const clock = systemClock;
  const health = new Health();

  const observed = started.adopt(
    await startTelemetry({
      serviceName: 'moderato',
      serviceVersion: VERSION,
      registerPrometheus: config.observability.http !== false,
      consumerGroup: config.kafka.groupId,
      logger,
      ...(config.observability.otlp !== undefined && { otlpUrl: config.observability.otlp }),
    }),
    (telemetry) => telemetry.shutdown(),
  );
  const { telemetry } = observed;
  const http =
    config.observability.http === false
      ? null
      : started.adopt(
          await startHttpServer({
            ...config.observability.http,
            health,
            metrics: observed.metricsHandler,
          }),
          (server) => server.close(),
        );

  const inspector = started.adopt(
    await createInspector(config, { ...overrides, clock, telemetry, secrets, logger }),
    (it) => it.close(),
  );
  health.modelLoaded(`${inspector.encoder.id} on ${inspector.encoder.executionProvider}`);

  const fetcher = overrides.fetcher ?? started.adopt(await fetcherOf(config), (it) => it.close());

  const kafka = started.adopt(createKafka(config.kafka, secrets, logger), closeKafka);
  requireTopics(await missingTopics(kafka, topicsOf(config)));
  health.topicsChecked(topicsOf(config).join(', '));
  const registry = registryOf({ config, secrets });
  requirePolicies(config.lists, inspector.bundle.bundle);
  const lists = started.adopt(
    await openHashLists({
      lists: configuredLists(config.lists, { kafka: () => kafka, clock }),
      logger,
      telemetry,
    }),
    (it) => it.close(),
  );

  const faults = overrides.faultPoints;
  const ends = createKafkaEnds(config, { kafka, registry, clock, logger, faults });
  const sink = started.adopt(overrides.sink ?? ends.sink, (it) => it.close());
  const source = started.adopt(overrides.source ?? ends.source, (it) => it.close());
  health.observeSource(() => source.status());
  observed.observeSource(() => source.status());
  observed.observeDecoders(() => inspector.images.restarts);
  observed.observeCache(() => inspector.cache.size());
  observed.describeModel({
    model: inspector.encoder,
    bundle: inspector.bundle.bundle,
  });

  const pipeline = new Pipeline(
    {
      ...inspector,
      lists,
      source,
      sink,
      telemetry,
      clock,
      faults,
      events: createEventDecoder({ registry }),
      fetcher,
      redriveKey: secrets.redriveKey,
      onFailure: (error, record) => {
        health.died(messageOf(error));
        if (record) logger.error({ err: error, ...positionOf(record) }, culprit(record));
        giveUpInTime();
      },
      onOutage: (dependency, isAbsent) => {
        if (isAbsent) logger.warn({ dependency }, 'a dependency is absent: its records wait');
        else logger.info({ dependency }, 'a dependency answers again');
      },
    },
    limitsOf(config),
  );
  const watching = new AbortController();
  started.defer(() => watching.abort());
  void logBottlenecks({
    load: () => ({
      lag: lagOf(source.status()),
      inFlight: pipeline.inFlight,
      stages: observed.stages,
    }),
    maxInFlight: config.pipeline.maxInFlight,
    logger,
    clock,
    signal: watching.signal,
  });
  const stalls = new Stalls({
    afterMs: STALL_MS,
    groupId: config.kafka.groupId,
    bootstrapServers: config.kafka.brokers.join(','),
  });
  let standing: readonly Stall[] = [];
  health.observeAbsent(() => pipeline.absent);
  observed.observeTrouble({ absent: () => pipeline.absent, stalls: () => standing });
  void logStalls({
    look: () => stalls.look(source.status(), pipeline.absent, clock.elapsed()),
    onLook: (found) => {
      standing = found;
      health.standsStill(found.map(({ message }) => message));
    },
    clock,
    logger,
    signal: watching.signal,
  });
  const running = started.move();
  let stopping: Promise<void> | undefined;
  let deadline: NodeJS.Timeout | undefined;

  const giveUpInTime = (): void => {
    deadline ??= setTimeout(() => {
      logger.warn({ inFlight: pipeline.inFlight }, 'drain deadline passed: giving up what is left');
      pipeline.abort();
    }, config.pipeline.drainTimeoutMs);
  };
  const drain = async (): Promise<void> => {
    health.draining();
    const tell = (): void =>
      logger.info({ inFlight: pipeline.inFlight }, 'stopping: finishing what is in flight');
    tell();
    const telling = setInterval(tell, DRAIN_LOG_MS);
    if (running.disposed) clearInterval(telling);
    else running.defer(() => clearInterval(telling));
    giveUpInTime();
    await source.stop();
  };

  return {
    httpPort: http?.port ?? null,
    stop: () => (stopping ??= drain()),
    died: (error) => source.accuse(messageOf(error)),
    run: async () => {
      try {
        await pipeline.run();
      } finally {
        clearTimeout(deadline);
        await running.disposeAsync();
      }
    },
  };
}

/** How long a partition stands still before its operator is told, in ms. */
const STALL_MS = 30_000;

function positionOf({ topic, partition, offset }: KafkaRecord): object {
  return { topic, partition, offset };
}

/** What to do about a record that ended the process. */
function culprit({ topic, partition, offset }: KafkaRecord): string {
  const at = `${topic}/${partition}/${offset}`;
  return `the record at ${at} ended the process. Look at it: moderato record show ${at}; leave it out: moderato record skip ${at}`;
}

/** How often a drain tells how far it is, in ms. */
const DRAIN_LOG_MS = 1_000;

/** A client of the configured schema registry; undefined where none is configured. */
export function registryOf({
  config,
  secrets,
}: {
  config: Pick<Config, 'registry'>;
  secrets: Secrets;
}): SchemaRegistry | undefined {
  if (config.registry === undefined) return undefined;
  const { url, username } = config.registry;
  return createSchemaRegistry({ url, username, password: secrets.registryPassword });
}

/** Records that wait, over all assigned partitions; null while nothing is known of any. */
function lagOf({ partitions }: SourceStatus): number | null {
  const known = partitions.flatMap(({ lag }) => lag ?? []);
  return known.length === 0 ? null : known.reduce((sum, lag) => sum + lag, 0);
}

/** A negative list must not be about a policy that is not there. */
function requirePolicies(lists: Config['lists'], { policies }: PolicyBundle): void {
  const known = new Set(policies.map(({ id }) => id));
  const faults = lists.flatMap(({ id, policies: named = [] }) =>
    named.filter((policy) => !known.has(policy)).map((policy) => `list ${id}: no policy ${policy}`),
  );
  if (faults.length > 0) {
    throw new AppError(
      'config_invalid',
      `opening the lists of known images:\n${faults.join('\n')}`,
    );
  }
}

function requireTopics(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new AppError(
    'topic_missing',
    `looking for the topics of the configuration: ${missing.join(', ')} not there; create them with: moderato topics create`,
  );
}
