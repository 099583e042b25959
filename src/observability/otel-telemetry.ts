import {
  context,
  diag,
  DiagLogLevel,
  metrics as metricsApi,
  propagation,
  trace,
  type DiagLogger,
} from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  hostDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
  type Resource,
} from '@opentelemetry/resources';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { CacheSize } from '../cache/embedding-cache.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { SourceStatus } from '../consumers/event-source.ts';
import { messageOf } from '../errors.ts';
import type { BundleIdentity, ModelIdentity } from '../events/types.generated.ts';
import { noLogger, type Logger } from '../logger.ts';
import { metricReaders, traceDestination } from './exporters.ts';
import type { HttpHandler } from './http-server.ts';
import { createHoldLog } from './hold-log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';
import { prometheusScrape } from './prometheus.ts';
import { StageBoard } from './stage-board.ts';
import type { Stage, Telemetry } from './telemetry.ts';
import { createTracing, noTracing, type Tracing } from './tracing.ts';
import type { Trouble } from './trouble-metrics.ts';

export interface TelemetryOptions {
  /** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come before it. */
  serviceName: string;
  serviceVersion: string;
  /**
   * The collector's base URL, for traces and metrics by OTLP over HTTP (protobuf).
   * @default what OTEL_EXPORTER_OTLP_ENDPOINT says; neither: nothing is pushed and no span is made
   */
  otlpUrl?: string;
  /** Whether metrics can be scraped through `metricsHandler`. */
  registerPrometheus: boolean;
  /** The Kafka consumer group, for the spans. */
  consumerGroup?: string;
  /** Told when telemetry itself fails, which never stops the processing. */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** In place of the OTLP exporters, for tests. */
  exportTo?: { spanProcessors: SpanProcessor[]; metricReaders?: IMetricReader[] };
}

export interface RunningTelemetry {
  telemetry: Telemetry;
  /** Answers a Prometheus scrape; null unless `registerPrometheus`. */
  metricsHandler: HttpHandler | null;
  /** From now on lag, pause and liveness of the consumer are what `status` says at collection. */
  observeSource(status: () => SourceStatus): void;
  /** From now on outages and stalls are what these say at collection. */
  observeTrouble(trouble: Trouble): void;
  /** `restarts` counts the decoder processes replaced since the start, by cause. */
  observeDecoders(restarts: () => Readonly<Record<string, number>>): void;
  /** `size` is what the cache of inspected images has in memory. */
  observeCache(size: () => CacheSize): void;
  describeModel(identity: { model: ModelIdentity; bundle: BundleIdentity }): void;
  /** How many events are in which stage right now. */
  readonly stages: ReadonlyMap<Stage, number>;
  /** Sends what waits, within a second, and lets go of everything. Never throws. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_LIMIT_MS = 1_000;

/** One per process: OpenTelemetry's registrations are global until `shutdown`. */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const { logger = noLogger, clock = systemClock, exportTo } = options;
  if (!process.env['OTEL_LOG_LEVEL']) {
    diag.setLogger(diagLogger(logger), {
      logLevel: DiagLogLevel.WARN,
      suppressOverrideMessage: true,
    });
  }
  const destination = exportTo
    ? { wanted: true, sdk: { spanProcessors: exportTo.spanProcessors } }
    : traceDestination(options.otlpUrl, process.env);
  const scrape = options.registerPrometheus ? prometheusScrape() : null;
  const pushed = exportTo
    ? (exportTo.metricReaders ?? [])
    : await metricReaders(options.otlpUrl, process.env);

  const sdk = new NodeSDK({
    resource: await describeProcess(options),
    // Unless the operator chose detectors, `describeProcess` has asked them.
    autoDetectResources: Boolean(process.env['OTEL_NODE_RESOURCE_DETECTORS']),
    ...destination.sdk,
    metricReaders: [...(scrape ? [scrape.reader] : []), ...pushed],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();

  const meter = metricsApi.getMeter('moderato', options.serviceVersion);
  const metrics = createMetrics(meter);
  const board = new StageBoard();
  metrics.observeStages(() => board.counts);
  const stopObserving = observeProcess(meter);
  const build = { version: options.serviceVersion, node_version: process.version };
  meter
    .createObservableGauge('moderato.build.info', { description: 'Always 1; see the labels.' })
    .addCallback((result) => result.observe(1, build));
  const tracing = destination.wanted
    ? createTracing({
        tracer: trace.getTracer('moderato', options.serviceVersion),
        clock,
        consumerGroup: options.consumerGroup,
      })
    : noTracing;

  return {
    telemetry: telemetryOf(metrics, tracing, { board, tellHeld: createHoldLog(logger, clock) }),
    stages: board.counts,
    metricsHandler: scrape?.handler ?? null,
    observeSource: (status) => metrics.observeSource(status),
    observeTrouble: (trouble) => metrics.observeTrouble(trouble),
    observeDecoders: (restarts) => metrics.observeDecoders(restarts),
    observeCache: (size) => metrics.observeCache(size),
    describeModel: (identity) => metrics.describeModel(identity),
    shutdown: async () => {
      stopObserving();
      await flush(sdk, logger);
      for (const api of [trace, metricsApi, propagation, context, diag]) api.disable();
    },
  };
}

/** Who is being observed; awaited here, since a scrape may come before the host has told its name. */
async function describeProcess({
  serviceName,
  serviceVersion,
}: TelemetryOptions): Promise<Resource> {
  const named = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: serviceName,
    [ATTR_SERVICE_VERSION]: serviceVersion,
  });
  // The process detector is left out: it would publish the command line with every scrape.
  const detectors = [
    serviceInstanceIdDetector,
    hostDetector,
    resourceAttributesEnvDetector,
    serviceNameEnvDetector,
  ];
  const resource = defaultResource().merge(named).merge(detectResources({ detectors }));
  await resource.waitForAsyncAttributes?.();
  return resource;
}

function telemetryOf(
  metrics: Metrics,
  tracing: Tracing,
  { board, tellHeld }: { board: StageBoard; tellHeld: Telemetry['retried'] },
): Telemetry {
  return {
    eventStarted: (record) => {
      const spans = tracing.start(record);
      let current: Stage | null = null;
      const enter = (stage: Stage | null): void => {
        board.move(current, stage);
        current = stage;
      };
      return {
        entered: enter,
        stage: (stage, startedAt, endedAt) => {
          metrics.stage(stage, endedAt - startedAt);
          spans.stage(stage, startedAt, endedAt);
        },
        inject: (headers) => spans.inject(headers),
        finished: (verdict) => {
          enter(null);
          metrics.finished(verdict, record);
          spans.finished(verdict);
        },
        abandoned: (error) => {
          enter(null);
          metrics.abandoned(error);
          spans.abandoned(error);
        },
      };
    },
    retried: (stage, error, attempt) => {
      metrics.retried(stage, error);
      tellHeld(stage, error, attempt);
    },
    inFlight: (count) => metrics.inFlight(count),
    batchInferred: (size, maxSize, ms) => metrics.batchInferred(size, maxSize, ms),
    cacheAnswered: (hit) => metrics.cacheAnswered(hit),
    cacheFailed: (fault) => metrics.cacheFailed(fault),
    listLoaded: (list, entries) => metrics.listLoaded(list, entries),
    listFailed: (list) => metrics.listFailed(list),
  };
}

/** A collector that does not answer must not hold up the end of the process. */
async function flush(sdk: NodeSDK, logger: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${SHUTDOWN_LIMIT_MS} ms`)),
      SHUTDOWN_LIMIT_MS,
    );
  });
  const sent = sdk.shutdown();
  sent.catch(() => undefined); // it may fail when nothing waits for it any more
  try {
    await Promise.race([sent, limit]);
  } catch (error) {
    const reason = messageOf(error);
    logger.warn({ error: reason }, `the last telemetry could not be sent: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}

function diagLogger(logger: Logger): DiagLogger {
  const warn = (message: string): void => logger.warn({}, `telemetry: ${message}`);
  const ignore = (): void => undefined;
  return { error: warn, warn, info: ignore, debug: ignore, verbose: ignore };
}
